package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Error rates of whole sequences and of their tokens. A source with several references is right where any of them
 * matches, and its token errors are those against the nearest.
 *
 * @param sources what has become of each, by its tokens
 */
record SequenceScore(Loss loss, Map<String, Errors> sources) implements Score {
    /**
     * @param edits insertions, deletions and substitutions from the reference to the answer
     * @param length of the reference
     */
    record Errors(int edits, int length) implements java.io.Serializable {
        static Errors between(int[] reference, int[] answer) {
            int[] above = new int[answer.length + 1];
            for (int j = 0; j <= answer.length; j++) {
                above[j] = j;
            }
            for (int i = 1; i <= reference.length; i++) {
                int[] row = new int[answer.length + 1];
                row[0] = i;
                for (int j = 1; j <= answer.length; j++) {
                    int same = above[j - 1] + (reference[i - 1] == answer[j - 1] ? 0 : 1);
                    row[j] = Math.min(same, 1 + Math.min(above[j], row[j - 1]));
                }
                above = row;
            }
            return new Errors(above[answer.length], reference.length);
        }

        Errors nearer(Errors other) {
            return other.edits < edits ? other : this;
        }
    }

    @Override
    public Score plus(Score other) {
        Map<String, Errors> all = new HashMap<>(sources);
        ((SequenceScore) other).sources.forEach((source, errors) -> all.merge(source, errors, Errors::nearer));
        return new SequenceScore(loss.plus(other.loss()), all);
    }

    @Override
    public Map<String, Object> metrics(Vocabularies vocabularies) {
        long wrong =
                sources.values().stream().filter(errors -> errors.edits > 0).count();
        long edits = sources.values().stream().mapToLong(Errors::edits).sum();
        long length = sources.values().stream().mapToLong(Errors::length).sum();
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("tokens", loss.tokens());
        metrics.put("cross_entropy", loss.mean());
        metrics.put("sources", sources.size());
        metrics.put("sequence_error_rate", (double) wrong / sources.size());
        metrics.put("token_error_rate", (double) edits / length);
        return metrics;
    }
}
