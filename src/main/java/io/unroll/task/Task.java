package io.unroll.task;

import io.unroll.chunk.EvaluationLanes;
import io.unroll.chunk.Lanes;
import io.unroll.chunk.Plan;
import io.unroll.chunk.TokenSource;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.NetworkShape;
import io.unroll.text.Vocabulary;
import java.util.Map;

/** What the trunk asks of a task, so that it never needs to know which one it is. */
public interface Task {
    static Task of(Settings.TaskName name) {
        return switch (name) {
            case LANGUAGE_MODEL -> new LanguageModel();
        };
    }

    /** Which network on the trunk. */
    NetworkShape network(Settings settings, Vocabulary vocabulary);

    /** Which examples, and in which batches, a replica trains on. */
    Lanes training(TokenSource tokens, Plan plan, int replica);

    /** Which examples, and in which batches, are evaluated; the first tokens are context, given and not counted. */
    EvaluationLanes evaluation(int[] tokens, int context);

    /** Which metrics, by the names that users read. */
    Map<String, Double> metrics(Loss loss);
}
