package io.unroll.task;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * BLEU of a whole corpus against several references each (Papineni et al. 2002), without smoothing.
 *
 * @param length of all answers
 * @param referenceLength of each answer's reference that is nearest in length, over all
 * @param matches of n-grams, n from 1 to 4: those that a reference has too, no more often than the one that has it most
 * @param grams of n-grams, those of all answers
 */
record Bleu(long length, long referenceLength, long[] matches, long[] grams) {
    static final int MOST = 4;

    static Bleu of(int[] answer, Collection<int[]> references) {
        long[] matches = new long[MOST];
        long[] grams = new long[MOST];
        for (int n = 1; n <= MOST; n++) {
            Map<List<Integer>, Integer> most = new HashMap<>();
            for (int[] reference : references) {
                counts(reference, n).forEach((gram, count) -> most.merge(gram, count, Math::max));
            }
            for (Map.Entry<List<Integer>, Integer> own : counts(answer, n).entrySet()) {
                matches[n - 1] += Math.min(own.getValue(), most.getOrDefault(own.getKey(), 0));
                grams[n - 1] += own.getValue();
            }
        }
        int nearest = references.stream()
                .map(reference -> reference.length)
                .min((a, b) -> {
                    int nearer = Integer.compare(Math.abs(a - answer.length), Math.abs(b - answer.length));
                    return nearer == 0 ? Integer.compare(a, b) : nearer;
                })
                .orElseThrow();
        return new Bleu(answer.length, nearest, matches, grams);
    }

    private static Map<List<Integer>, Integer> counts(int[] tokens, int n) {
        Map<List<Integer>, Integer> counts = new HashMap<>();
        for (int i = 0; i + n <= tokens.length; i++) {
            List<Integer> gram = Arrays.stream(tokens, i, i + n).boxed().toList();
            counts.merge(gram, 1, Integer::sum);
        }
        return counts;
    }

    Bleu plus(Bleu other) {
        return new Bleu(
                length + other.length,
                referenceLength + other.referenceLength,
                sum(matches, other.matches),
                sum(grams, other.grams));
    }

    private static long[] sum(long[] a, long[] b) {
        long[] sum = a.clone();
        Arrays.setAll(sum, i -> a[i] + b[i]);
        return sum;
    }

    /** @return BLEU-n, from 0 to 1 */
    double value(int n) {
        double logs = 0;
        for (int i = 0; i < n; i++) {
            logs += Math.log((double) matches[i] / grams[i]) / n;
        }
        double brevity = length < referenceLength ? Math.exp(1 - (double) referenceLength / length) : 1;
        return Double.isNaN(logs) || length == 0 ? 0 : brevity * Math.exp(logs);
    }
}
