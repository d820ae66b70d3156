package io.unroll.cli;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "embed",
        description =
                "Adds a vector to each row of a table: the states of the highest recurrent layer at the tokens of its "
                        + "text. The output has all columns of the input.",
        mixinStandardHelpOptions = true)
final class EmbedCommand implements Callable<Integer> {
    @Mixin
    private InferenceOptions options;

    @Option(
            names = "--pooling",
            paramLabel = "HOW",
            description =
                    "mean or max of all states, or the last one; a seq2seq model has only the last one (default: mean, "
                            + "or last for seq2seq).")
    private Settings.Pooling pooling;

    @Override
    public Integer call() {
        TrainedModel trained = options.readModel();
        Settings.TaskName task = trained.settings().task();
        if (task == Settings.TaskName.CAPTIONING) {
            throw new ConfigurationException(
                    options.model() + " reads images, but embed needs a model that reads text.");
        }
        boolean isSeq2Seq = task == Settings.TaskName.SEQ2SEQ;
        if (isSeq2Seq && pooling != null && pooling != Settings.Pooling.LAST) {
            throw new ConfigurationException(
                    "--pooling must be last for a seq2seq model, whose encoder keeps only its last state.");
        }
        Settings.Pooling how = pooling != null ? pooling : isSeq2Seq ? Settings.Pooling.LAST : Settings.Pooling.MEAN;
        options.run("embed", trained, job -> job.embed(how));
        return 0;
    }
}
