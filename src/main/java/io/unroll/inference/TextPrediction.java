package io.unroll.inference;

import java.util.Map;

/**
 * What a model answers to a text.
 *
 * @param answer the label, target text or caption; null if the text cannot be read
 * @param logProbability logarithm of its probability, in nats; NaN if the text cannot be read
 * @param probabilities probability of each label; empty unless the model predicts labels
 * @param unscored why the text cannot be read; null if it can
 */
public record TextPrediction(
        String answer, double logProbability, Map<String, Double> probabilities, TextScore.Unscored unscored) {
    static TextPrediction unscored(TextScore.Unscored reason) {
        return new TextPrediction(null, Double.NaN, Map.of(), reason);
    }

    public double probability() {
        return Math.exp(logProbability);
    }
}
