package io.unroll.task;

import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.Lanes;
import io.unroll.chunk.Plan;
import io.unroll.chunk.TokenSource;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.NetworkShape;
import io.unroll.text.Vocabulary;
import java.util.LinkedHashMap;
import java.util.Map;

/** The next token of a text. */
final class LanguageModel implements Task {
    @Override
    public NetworkShape network(Settings settings, Vocabulary vocabulary) {
        return new NetworkShape(
                settings.model(),
                vocabulary.size(),
                settings.training().optimizer(),
                settings.cluster().threads());
    }

    @Override
    public Lanes training(TokenSource tokens, Plan plan, int replica) {
        return new Lanes(tokens, plan, replica);
    }

    @Override
    public EvaluationLanes evaluation(int[] tokens, int context) {
        return new EvaluationLanes(tokens, context);
    }

    @Override
    public Map<String, Double> metrics(Loss loss) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("cross_entropy", loss.mean());
        metrics.put("bits_per_token", loss.mean() / Math.log(2));
        metrics.put("perplexity", Math.exp(loss.mean()));
        return metrics;
    }
}
