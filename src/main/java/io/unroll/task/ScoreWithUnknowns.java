package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A score together with the number of unknown tokens ({@code <unk>}) in the scored text.
 *
 * @param unknown number of unknown tokens, by metric name
 */
record ScoreWithUnknowns(Score score, TreeMap<String, Long> unknown) implements Score {
    @Override
    public Loss loss() {
        return score.loss();
    }

    @Override
    public Score plus(Score other) {
        TreeMap<String, Long> sum = new TreeMap<>(unknown);
        ((ScoreWithUnknowns) other).unknown.forEach((name, count) -> sum.merge(name, count, Long::sum));
        return new ScoreWithUnknowns(score.plus(((ScoreWithUnknowns) other).score), sum);
    }

    /** @return the metrics of the score; the numbers of unknown tokens follow the first metric, the number of tokens */
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
