package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.spark.Evaluation;
import io.unroll.spark.Session;
import io.unroll.task.Score;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
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
    private static final int WIDTH = 16;

    @Parameters(paramLabel = "MODEL", description = "The model's folder.")
    private String model;

    @Parameters(index = "1..*", paramLabel = "TEXT", description = "Files, folders or globs.")
    private List<String> texts = List.of();

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
        if (texts.isEmpty() == (part == null)) {
            throw new ConfigurationException(
                    "give either TEXT or --part: the files to evaluate, or what training has held"
                            + " out of its own corpus.");
        }
        Model trained = new ModelFolder(model, Session.hadoopWithoutSpark()).read();
        Score score;
        try (Session session = Session.start("evaluate " + model, 1)) {
            score = evaluate(session, trained)
                    .filter(found -> found.loss().tokens() > 0)
                    .orElseThrow(() ->
                            new ConfigurationException((part == null ? String.join(", ", texts) : "--part " + part)
                                    + ": fewer than two tokens, or no row, so there is nothing to predict."));
        }
        Map<String, Object> metrics = score.metrics(trained.vocabularies());
        if (json) {
            System.out.println(JsonLine.of(metrics));
        } else {
            metrics.forEach(EvaluateCommand::print);
        }
        return 0;
    }

    private Optional<Score> evaluate(Session session, Model trained) throws IOException {
        return part == null
                ? Evaluation.ofFiles(session, trained, texts, search.beam())
                : Evaluation.ofPart(session, trained, part, search.beam());
    }

    private static void print(String name, Object value) {
        String shown = value instanceof Double number ? String.format(Locale.ROOT, "%.4f", number) : value.toString();
        if (value instanceof List<?> list) {
            boolean rows = list.get(0) instanceof List<?>;
            shown = list.stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(rows ? "\n" + " ".repeat(WIDTH) : ", "));
        }
        System.out.printf("%-" + (WIDTH - 2) + "s  %s%n", name.replace('_', ' '), shown);
    }
}
