package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A score, with the number of unknown tokens ({@code <unk>}) in the scored text.
 *
 * @param unknown by the names that users read
 */
record CountedScore(Score score, TreeMap<String, Long> unknown) implements Score {
    @Override
    public Loss loss() {
        return score.loss();
    }

    @Override
    public Score plus(Score other) {
        TreeMap<String, Long> sum = new TreeMap<>(unknown);
        ((CountedScore) other).unknown.forEach((name, count) -> sum.merge(name, count, Long::sum));
        return new CountedScore(score.plus(((CountedScore) other).score), sum);
    }

    /** @return the score's, and the unknown tokens behind their number */
    @Override
    public Map<String, Object> metrics(Vocabularies vocabularies) {
        Map<String, Object> metrics = new LinkedHashMap<>();
        score.metrics(vocabularies).forEach((name, value) -> {
            metrics.put(name, value);
            if (metrics.size() == 1) {
                metrics.putAll(unknown);
            }
        });
        return metrics;
    }
}
