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
        name = "predict",
        description =
                "Predicts the label of each row of a table, its target text, or the caption of its image. The output "
                        + "has all columns of the input.",
        mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(index = "1..*", paramLabel = "INPUT", description = EvaluatedText.DESCRIPTION + ".")
    private List<String> arguments = List.of();

    @Mixin
    private OutputOptions output;

    @Mixin
    private SearchOption search;

    @Option(names = "--json", description = "Print the counts as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        TableOutput target = output.output();
        EvaluatedText input = EvaluatedText.of(arguments);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        TrainedModel trained = input.readModel(model, target, hadoop);
        if (trained.settings().task() == Settings.TaskName.LANGUAGE_MODEL) {
            throw new ConfigurationException(
                    model + " is a language model, which predicts no label and no target: use score or generate.");
        }
        int beam = search.beam(trained);
        try (Session session = Session.start("predict " + model, 1)) {
            RowCounts counts = new InferenceJob(session, trained, input.files(), target, output.prefix()).predict(beam);
            System.out.println(json ? JsonLine.of(counts) : "rows  " + OutputOptions.text(counts));
        }
        return 0;
    }
}
