package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Sequence error rate and token error rate. A source with several references is scored against the reference with the
 * fewest edits.
 *
 * @param sources the errors of each source, by source key
 */
record SequenceScore(Loss loss, Map<String, Errors> sources) implements Score {
    /**
     * The distance between a reference and the model's output.
     *
     * @param edits Levenshtein distance: the number of insertions, deletions and substitutions of tokens
     * @param length number of tokens of the reference
     */
    record Errors(int edits, int length) implements java.io.Serializable {
        static Errors between(int[] reference, int[] answer) {
            int[] previous = new int[answer.length + 1];
            for (int j = 0; j <= answer.length; j++) {
                previous[j] = j;
            }
            for (int i = 1; i <= reference.length; i++) {
                int[] current = new int[answer.length + 1];
                current[0] = i;
                for (int j = 1; j <= answer.length; j++) {
                    int substitution = previous[j - 1] + (reference[i - 1] == answer[j - 1] ? 0 : 1);
                    current[j] = Math.min(substitution, 1 + Math.min(previous[j], current[j - 1]));
                }
                previous = current;
            }
            return new Errors(previous[answer.length], reference.length);
        }

        Errors min(Errors other) {
            return other.edits < edits ? other : this;
        }
    }

    @Override
    public Score plus(Score other) {
        Map<String, Errors> merged = new HashMap<>(sources);
        ((SequenceScore) other).sources.forEach((source, errors) -> merged.merge(source, errors, Errors::min));
        return new SequenceScore(loss.plus(other.loss()), merged);
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
