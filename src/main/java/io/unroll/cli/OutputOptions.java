package io.unroll.cli;

import io.unroll.config.ConfigurationException;
import io.unroll.spark.RowCounts;
import io.unroll.spark.TableOutput;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The options of the commands that write a table. */
final class OutputOptions {
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
            description = "Prefix of the names of the new columns.")
    private String prefix;

    TableOutput output() {
        return new TableOutput(folder, table, format, mode, partitionColumns);
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
