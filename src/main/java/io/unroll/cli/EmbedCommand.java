package io.unroll.cli;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.spark.InferenceJob;
import io.unroll.spark.RowCounts;
import io.unroll.spark.Session;
import io.unroll.spark.TableOutput;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "embed",
        description =
                "Adds a vector to each row of a table: the states of the highest recurrent layer at the tokens of its "
                        + "text. The output has all columns of the input.",
        mixinStandardHelpOptions = true)
final class EmbedCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(index = "1..*", paramLabel = "INPUT", description = EvaluatedText.DESCRIPTION + ".")
    private List<String> arguments = List.of();

    @Mixin
    private OutputOptions output;

    @Option(
            names = "--pooling",
            paramLabel = "HOW",
            description =
                    "mean or max of all states, or the last one; a seq2seq model has only the last one (default: mean, "
                            + "or last for seq2seq).")
    private Settings.Pooling pooling;

    @Option(names = "--json", description = "Print the counts as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        TableOutput target = output.output();
        EvaluatedText input = EvaluatedText.of(arguments);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        TrainedModel trained = input.readModel(model, target, hadoop);
        Settings.TaskName task = trained.settings().task();
        if (task == Settings.TaskName.CAPTIONING) {
            throw new ConfigurationException(model + " reads images, but embed needs a model that reads text.");
        }
        boolean isSeq2Seq = task == Settings.TaskName.SEQ2SEQ;
        if (isSeq2Seq && pooling != null && pooling != Settings.Pooling.LAST) {
            throw new ConfigurationException(
                    "--pooling must be last for a seq2seq model, whose encoder keeps only its last state.");
        }
        Settings.Pooling how = pooling != null ? pooling : isSeq2Seq ? Settings.Pooling.LAST : Settings.Pooling.MEAN;
        try (Session session = Session.start("embed " + model, 1)) {
            RowCounts counts = new InferenceJob(session, trained, input.files(), target, output.prefix()).embed(how);
            System.out.println(json ? JsonLine.of(counts) : "rows  " + OutputOptions.text(counts));
        }
        return 0;
    }
}
