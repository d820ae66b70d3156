package io.unroll.task;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Corpus BLEU with several references per candidate (Papineni et al. 2002), without smoothing.
 *
 * @param length number of tokens in all candidates
 * @param referenceLength number of tokens in the references closest in length to their candidates
 * @param matches clipped counts of matching n-grams, for n from 1 to 4
 * @param candidateCounts numbers of n-grams in all candidates, for n from 1 to 4
 */
record Bleu(long length, long referenceLength, long[] matches, long[] candidateCounts) {
    static final int MAX_ORDER = 4;

    static Bleu of(int[] candidate, Collection<int[]> references) {
        long[] matches = new long[MAX_ORDER];
        long[] candidateCounts = new long[MAX_ORDER];
        for (int n = 1; n <= MAX_ORDER; n++) {
            Map<List<Integer>, Integer> maxReferenceCounts = new HashMap<>();
            for (int[] reference : references) {
                ngramCounts(reference, n).forEach((ngram, count) -> maxReferenceCounts.merge(ngram, count, Math::max));
            }
            for (Map.Entry<List<Integer>, Integer> ngram :
                    ngramCounts(candidate, n).entrySet()) {
                matches[n - 1] += Math.min(ngram.getValue(), maxReferenceCounts.getOrDefault(ngram.getKey(), 0));
                candidateCounts[n - 1] += ngram.getValue();
            }
        }
        int closestLength = references.stream()
                .map(reference -> reference.length)
                .min(Comparator.comparing((Integer length) -> Math.abs(length - candidate.length))
                        .thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
        return new Bleu(candidate.length, closestLength, matches, candidateCounts);
    }

    private static Map<List<Integer>, Integer> ngramCounts(int[] tokens, int n) {
        Map<List<Integer>, Integer> counts = new HashMap<>();
        for (int i = 0; i + n <= tokens.length; i++) {
            List<Integer> ngram = Arrays.stream(tokens, i, i + n).boxed().toList();
            counts.merge(ngram, 1, Integer::sum);
        }
        return counts;
    }

    Bleu plus(Bleu other) {
        return new Bleu(
                length + other.length,
                referenceLength + other.referenceLength,
                sum(matches, other.matches),
                sum(candidateCounts, other.candidateCounts));
    }

    private static long[] sum(long[] a, long[] b) {
        long[] sum = a.clone();
        Arrays.setAll(sum, i -> a[i] + b[i]);
        return sum;
    }

    /** @return BLEU-n, from 0 to 1; 0 if an order up to {@code n} has no match */
    double value(int n) {
        double logPrecision = 0;
        for (int i = 0; i < n; i++) {
            logPrecision += Math.log((double) matches[i] / candidateCounts[i]) / n;
        }
        double brevityPenalty = length < referenceLength ? Math.exp(1 - (double) referenceLength / length) : 1;
        return Double.isNaN(logPrecision) || length == 0 ? 0 : brevityPenalty * Math.exp(logPrecision);
    }
}
