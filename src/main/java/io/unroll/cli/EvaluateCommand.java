package io.unroll.cli;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.spark.Evaluation;
import io.unroll.spark.Session;
import io.unroll.task.Score;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "evaluate",
        description = "Evaluates a model on texts or on the rows of a table: cross-entropy in nats per token, and the "
                + "metrics of its task.",
        mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
    private static final int NAME_WIDTH = 20;

    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(
            index = "1..*",
            paramLabel = "TEXT",
            description = EvaluatedText.DESCRIPTION + ", and with --part only corpus.path, corpus.table, corpus.query, "
                    + "corpus.prepared or corpus.images.")
    private List<String> arguments = List.of();

    @Option(
            names = "--part",
            paramLabel = "PART",
            converter = PartConverter.class,
            description = "Instead of TEXT, a held-out part of the training corpus: validation or test.")
    private Split.Part part;

    /** Names the parts as users write them: picocli's message has the names of the constants. */
    static final class PartConverter implements ITypeConverter<Split.Part> {
        @Override
        public Split.Part convert(String value) {
            return Arrays.stream(Split.Part.values())
                    .filter(part -> SettingNames.kebab(part).equalsIgnoreCase(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException(value + "; it must be validation or test"));
        }
    }

    @Mixin
    private SearchOption search;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        EvaluatedText text = EvaluatedText.of(arguments);
        if (part == null
                ? text.files().isEmpty() && !text.isTable()
                : !text.files().isEmpty()) {
            throw new ConfigurationException("give either TEXT or --part: files, a table or a query to evaluate, or a"
                    + " held-out part of the training corpus.");
        }
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check("MODEL", model, hadoop);
        if (part == null) {
            text.check(hadoop);
        }
        TrainedModel stored = new ModelFolder(model, hadoop).read();
        TrainedModel trained = text.applyTo(stored, part != null);
        PathChecks.check("corpus.images", trained.settings().corpus().images(), hadoop);
        if (part != null) {
            PathChecks.check("corpus.path", trained.settings().corpus().path(), hadoop);
            PathChecks.check("corpus.prepared", trained.settings().corpus().prepared(), hadoop);
        }
        int beam = search.beam(trained);
        Score score;
        try (Session session = Session.start("evaluate " + model, 1)) {
            score = part == null
                    ? EvaluatedText.score(Evaluation.of(session, trained, text.files(), beam), text.name(trained))
                    : EvaluatedText.score(
                            Evaluation.ofPart(session, trained, part, beam), "--part " + SettingNames.kebab(part));
        }
        Map<String, Object> metrics = score.metrics(trained.vocabularies());
        if (json) {
            System.out.println(JsonLine.of(metrics));
        } else {
            print(metrics);
        }
        return 0;
    }

    private static void print(Map<String, Object> metrics) {
        metrics.forEach((name, value) -> System.out.printf(
                "%-" + NAME_WIDTH + "s  %s%n", name.replace('_', ' '), text(value, (List<?>) metrics.get("labels"))));
    }

    private static String text(Object value, List<?> labels) {
        if (value instanceof Double number) {
            return String.format(Locale.ROOT, "%.4f", number);
        }
        if (value instanceof Map<?, ?> counts) {
            return counts.entrySet().stream()
                    .map(count -> count.getValue() + " x " + count.getKey())
                    .collect(Collectors.joining("; "));
        }
        if (!(value instanceof List<?> list)) {
            return value.toString();
        }
        return list.get(0) instanceof List<?>
                ? matrix(labels, list)
                : list.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /** @return the confusion matrix as text, one row per true label */
    private static String matrix(List<?> labels, List<?> rows) {
        int labelWidth = longest(labels);
        int countWidth =
                rows.stream().mapToInt(row -> longest((List<?>) row)).max().orElseThrow();
        StringBuilder lines =
                new StringBuilder("one row per true label; columns are the predicted labels, in the same order");
        for (int i = 0; i < rows.size(); i++) {
            lines.append(String.format("%n  %-" + labelWidth + "s", labels.get(i)));
            ((List<?>) rows.get(i)).forEach(count -> lines.append(String.format("  %" + countWidth + "s", count)));
        }
        return lines.toString();
    }

    private static int longest(List<?> values) {
        return values.stream()
                .mapToInt(value -> value.toString().length())
                .max()
                .orElse(1);
    }
}
