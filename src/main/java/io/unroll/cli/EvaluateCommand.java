package io.unroll.cli;

import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.config.ConfigurationException;
import io.unroll.model.Loss;
import io.unroll.spark.Evaluation;
import io.unroll.spark.Session;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "evaluate",
        description = "Measures how well a model predicts texts: cross-entropy in nats per token.",
        mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MODEL", description = "The model's folder.")
    private String model;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "TEXT", description = "Files, folders or globs.")
    private List<String> texts;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() {
        Model trained = new ModelFolder(model, Session.hadoopWithoutSpark()).read();
        Loss loss;
        try (Session session = Session.start("evaluate " + model, 1)) {
            loss = Evaluation.ofTexts(session, trained, texts);
        }
        if (loss.tokens() == 0) {
            throw new ConfigurationException(
                    String.join(", ", texts) + ": fewer than two tokens, so there is nothing to predict.");
        }
        Map<String, Double> metrics = trained.task().metrics(loss);
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("tokens", loss.tokens());
            result.putAll(metrics);
            System.out.println(JsonLine.of(result));
        } else {
            System.out.printf(Locale.ROOT, "%-14s  %d%n", "tokens", loss.tokens());
            metrics.forEach(
                    (name, value) -> System.out.printf(Locale.ROOT, "%-14s  %.4f%n", name.replace('_', ' '), value));
        }
        return 0;
    }
}
