package io.unroll.cli;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "predict",
        description =
                "Predicts the label of each row of a table, its target text, or the caption of its image. The output "
                        + "has all columns of the input.",
        mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {
    @Mixin
    private InferenceOptions options;

    @Mixin
    private SearchOption search;

    @Override
    public Integer call() {
        TrainedModel trained = options.readModel();
        if (trained.settings().task() == Settings.TaskName.LANGUAGE_MODEL) {
            throw new ConfigurationException(options.model()
                    + " is a language model, which predicts no label and no target: use score or generate.");
        }
        int beam = search.beam(trained);
        options.run("predict", trained, job -> job.predict(beam));
        return 0;
    }
}
