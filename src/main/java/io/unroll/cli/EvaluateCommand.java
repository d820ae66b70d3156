package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingsReader;
import io.unroll.config.UserPath;
import io.unroll.config.Words;
import io.unroll.spark.Evaluation;
import io.unroll.spark.Session;
import io.unroll.task.Score;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "evaluate",
        description =
                "Measures how well a model does on texts, or on rows: cross-entropy in nats per token, and what else the task counts.",
        mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
    private static final int WIDTH = 20;
    private static final Pattern SETTING = Pattern.compile("(corpus|model|training|cluster|run)\\.[a-z.-]+=.*");
    private static final Pattern WITH_TEXT = Pattern.compile("corpus\\.(images|malformed|format|header|columns\\..*)");
    private static final Pattern WITH_PART = Pattern.compile("corpus\\.(path|prepared|images)");

    @Parameters(paramLabel = "MODEL", converter = HomePath.class, description = "The model's folder.")
    private String model;

    @Parameters(
            index = "1..*",
            paramLabel = "TEXT",
            description = "Files, folders or globs; and key=value for what may differ from training: corpus.images,"
                    + " .malformed, .format, .header and .columns.*, with --part corpus.path, .prepared and .images.")
    private List<String> arguments = List.of();

    @Option(
            names = "--part",
            description = "Instead of TEXT, what training has held out of its own corpus: ${COMPLETION-CANDIDATES}.")
    private Split.Part part;

    @Mixin
    private SearchOption search;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Map<Boolean, List<String>> kinds =
                arguments.stream().collect(Collectors.partitioningBy(SETTING.asMatchPredicate()));
        List<String> texts = kinds.get(false).stream().map(UserPath::expanded).toList();
        if (texts.isEmpty() == (part == null)) {
            throw new ConfigurationException(
                    "give either TEXT or --part: the files to evaluate, or what training has held"
                            + " out of its own corpus.");
        }
        Configuration hadoop = Session.hadoopWithoutSpark();
        Places.check("MODEL", model, hadoop);
        Places.check("TEXT", texts, hadoop);
        Model trained = with(kinds.get(true), new ModelFolder(model, hadoop).read());
        trained.task(); // refuses settings that are not for it, before Spark starts
        Places.check("corpus.images", trained.settings().corpus().images(), hadoop);
        if (part != null) {
            Places.check("corpus.path", trained.settings().corpus().path(), hadoop);
            Places.check("corpus.prepared", trained.settings().corpus().prepared(), hadoop);
        }
        int beam = search.beam(trained);
        Score score;
        try (Session session = Session.start("evaluate " + model, 1)) {
            score = (part == null
                            ? Evaluation.ofFiles(session, trained, texts, beam)
                            : Evaluation.ofPart(session, trained, part, beam))
                    .filter(found -> found.loss().tokens() > 0)
                    .orElseThrow(() -> new ConfigurationException(
                            (part == null ? String.join(", ", texts) : "--part " + Words.kebab(part))
                                    + ": fewer than two tokens, or no row, so there is nothing to predict."));
        }
        Map<String, Object> metrics = score.metrics(trained.vocabularies());
        if (json) {
            System.out.println(JsonLine.of(metrics));
        } else {
            print(metrics);
        }
        return 0;
    }

    private Model with(List<String> settings, Model trained) {
        if (settings.isEmpty()) {
            return trained;
        }
        Model other = trained.with(SettingsReader.with(trained.settings(), settings));
        for (String setting : settings) {
            String key = setting.substring(0, setting.indexOf('='));
            if (!(part == null ? WITH_TEXT : WITH_PART).matcher(key).matches()) {
                throw new ConfigurationException(setting + " cannot be given here: the model is evaluated with the "
                        + key + " that it was trained with. Leave it out.");
            }
        }
        return other;
    }

    private static void print(Map<String, Object> metrics) {
        metrics.forEach((name, value) -> System.out.printf(
                "%-" + WIDTH + "s  %s%n", name.replace('_', ' '), text(value, (List<?>) metrics.get("labels"))));
    }

    private static String text(Object value, List<?> labels) {
        if (value instanceof Double number) {
            return String.format(Locale.ROOT, "%.4f", number);
        }
        if (!(value instanceof List<?> list)) {
            return value.toString();
        }
        return list.get(0) instanceof List<?>
                ? matrix(labels, list)
                : list.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /** @return a line of numbers for each label */
    private static String matrix(List<?> labels, List<?> rows) {
        int label = longest(labels);
        int number = rows.stream().mapToInt(row -> longest((List<?>) row)).max().orElseThrow();
        StringBuilder lines =
                new StringBuilder("a line for each true label; columns, in the same order, are what it was taken for");
        for (int i = 0; i < rows.size(); i++) {
            lines.append(String.format("%n  %-" + label + "s", labels.get(i)));
            ((List<?>) rows.get(i)).forEach(count -> lines.append(String.format("  %" + number + "s", count)));
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
