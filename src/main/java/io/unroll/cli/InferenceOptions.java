package io.unroll.cli;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.spark.InferenceJob;
import io.unroll.spark.RowCounts;
import io.unroll.spark.Session;
import io.unroll.spark.TableOutput;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What score, predict and embed have in common: a model, the rows to read, and the table to write. */
final class InferenceOptions {
    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(index = "1..*", paramLabel = "INPUT", description = EvaluatedText.DESCRIPTION + ".")
    private List<String> arguments = List.of();

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            defaultValue = "",
            converter = PathConverter.class,
            description = "The folder to write.")
    private String folder;

    @Option(
            names = "--table",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Instead of a folder, the table of the catalog to write.")
    private String table;

    @Option(
            names = "--format",
            paramLabel = "NAME",
            defaultValue = "parquet",
            description = "Format of the output: any that Spark writes (default: ${DEFAULT-VALUE}).")
    private String format;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            defaultValue = "error",
            description = "If the output exists: error, overwrite or append (default: ${DEFAULT-VALUE}). With "
                    + "--partition-by, overwrite replaces only the partitions that are written, so that the command can "
                    + "be repeated; append adds the rows again when it is repeated.")
    private TableOutput.Mode mode;

    @Option(
            names = "--partition-by",
            paramLabel = "COLUMN",
            split = ",",
            description = "Columns whose values become the folders of the output, such as dt.")
    private List<String> partitionColumns = List.of();

    @Option(
            names = "--prefix",
            paramLabel = "P",
            defaultValue = "",
            description = "Prefix of the names of the new columns, for an input that already has such columns.")
    private String prefix;

    @Option(names = "--json", description = "Print the counts as a JSON object, on the last line.")
    private boolean json;

    String model() {
        return model;
    }

    EvaluatedText input() {
        return EvaluatedText.of(arguments);
    }

    TableOutput output() {
        return new TableOutput(folder, table, format, mode, partitionColumns);
    }

    /** @return the model with the settings of the input, after the paths of the input and the output are checked */
    TrainedModel readModel() {
        return input().readModel(model, output(), Session.submittedHadoopConfiguration());
    }

    boolean json() {
        return json;
    }

    /** Runs a job that adds predictions or vectors, and prints the counts. */
    void run(String command, TrainedModel trained, Function<InferenceJob, RowCounts> job) {
        try (Session session = Session.start(command + " " + model, 1)) {
            RowCounts counts = job.apply(new InferenceJob(session, trained, input().files(), output(), prefix()));
            System.out.println(json ? JsonLine.of(counts) : "output  " + output().name() + "\nrows    " + text(counts));
        }
    }

    String prefix() {
        if (!prefix.matches("\\w*")) {
            throw new ConfigurationException("--prefix is " + prefix + "; it must consist of letters, digits and _.");
        }
        return prefix;
    }

    /** @return the counts, for users */
    static String text(RowCounts counts) {
        return String.format(Locale.ROOT, "%,d", counts.rows())
                + (counts.unscored().isEmpty()
                        ? ""
                        : "; not read: "
                                + counts.unscored().entrySet().stream()
                                        .map(reason -> String.format(
                                                Locale.ROOT, "%,d %s", reason.getValue(), reason.getKey()))
                                        .collect(Collectors.joining(", ")));
    }
}
