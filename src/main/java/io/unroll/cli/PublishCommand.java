package io.unroll.cli;

import io.unroll.checkpoint.DirectoryLock;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.UnrollException;
import io.unroll.spark.Evaluation;
import io.unroll.spark.Session;
import io.unroll.task.Score;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "publish",
        description = "Publishes a model to a shared folder if it is not worse than the model in that folder. Compares "
                + "the perplexities of both on TEXT, then copies the new model. The old model stays readable until "
                + "the new one is copied and checked.",
        mixinStandardHelpOptions = true)
final class PublishCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            converter = PathConverter.class,
            description = "The folder of the published model; created if it does not exist.")
    private String target;

    @Parameters(
            index = "2..*",
            arity = "1..*",
            paramLabel = "TEXT",
            description = "Rows or texts that neither model was trained on. " + EvaluatedText.DESCRIPTION + ".")
    private List<String> arguments;

    @Option(
            names = "--tolerance",
            paramLabel = "X",
            defaultValue = "0",
            description = "Also publish if the perplexity of the new model is higher by at most this fraction, such as "
                    + "0.01 for 1 percent (default: ${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    private enum Decision {
        PUBLISHED,
        ALREADY_PUBLISHED,
        KEPT
    }

    @Override
    public Integer call() throws IOException {
        ConfigurationException.check(tolerance >= 0, "--tolerance", tolerance, "0 or more");
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check("MODEL", model, hadoop);
        PathChecks.check("TARGET", target, hadoop);
        EvaluatedText text = EvaluatedText.of(arguments);
        text.check(hadoop);
        ModelFolder source = new ModelFolder(model, hadoop);
        ModelFolder published = new ModelFolder(target, hadoop);
        TrainedModel candidate = source.read();
        published.checkWritable("TARGET");
        try (DirectoryLock lock = published.lock(why -> System.err.println(why))) {
            publish(source, candidate, published, text, lock);
        }
        return 0;
    }

    private void publish(
            ModelFolder source, TrainedModel candidate, ModelFolder published, EvaluatedText text, DirectoryLock lock)
            throws IOException {
        TrainedModel current = published.recover() ? published.read() : null;
        if (current != null) {
            checkComparable(candidate, current);
        }
        Score score;
        Score publishedScore;
        try (Session session = Session.start("publish " + model, 1)) {
            score = score(session, model, candidate, text);
            publishedScore = current == null ? null : score(session, target, current, text);
        }
        double perplexity = perplexity(model, score);
        Double publishedPerplexity = current == null ? null : perplexity(target, publishedScore);
        Decision decision = Decision.KEPT;
        if (current == null || perplexity <= publishedPerplexity * (1 + tolerance)) {
            lock.checkNow();
            decision = published.copyFrom(source) ? Decision.PUBLISHED : Decision.ALREADY_PUBLISHED;
        }
        print(decision, perplexity, publishedPerplexity, unknownTokens(candidate, score));
    }

    /** Perplexities are per token, so both models must tokenize a text into the same tokens. */
    private void checkComparable(TrainedModel candidate, TrainedModel current) {
        TokenizerName candidateTokenizer = candidate.vocabularies().tokens().kind();
        TokenizerName currentTokenizer = current.vocabularies().tokens().kind();
        String difference = null;
        if (candidate.settings().task() != current.settings().task()) {
            difference = "their tasks differ ("
                    + SettingNames.kebab(candidate.settings().task()) + " and "
                    + SettingNames.kebab(current.settings().task()) + ")";
        } else if (candidateTokenizer != currentTokenizer) {
            difference = "their tokenizers differ (" + SettingNames.kebab(candidateTokenizer) + " and "
                    + SettingNames.kebab(currentTokenizer) + ")";
        } else if (candidate.task().scoresDependOnSymbols()
                && !candidate.vocabularies().haveSameSymbols(current.vocabularies())) {
            difference = "their vocabularies differ, so <unk> replaces different tokens";
        }
        if (difference != null) {
            throw new ConfigurationException("the perplexities of " + model + " and " + target + " cannot be compared: "
                    + difference + ". Give another TARGET, or remove the old model.");
        }
    }

    private static Score score(Session session, String path, TrainedModel stored, EvaluatedText text)
            throws IOException {
        try {
            TrainedModel trained = text.applyTo(stored, false);
            return EvaluatedText.score(Evaluation.of(session, trained, text.files(), 1), text.name(trained));
        } catch (ConfigurationException e) {
            throw e;
        } catch (UnrollException e) {
            throw new UnrollException(path + " cannot be evaluated: " + e.getMessage(), e);
        }
    }

    /** @return the metrics that count {@code <unk>} tokens; they are the same for both models */
    private static Map<String, Object> unknownTokens(TrainedModel candidate, Score score) {
        Map<String, Object> unknown = new LinkedHashMap<>(score.metrics(candidate.vocabularies()));
        unknown.keySet().removeIf(name -> !name.startsWith("unknown_"));
        return unknown;
    }

    private static double perplexity(String path, Score score) {
        double perplexity = Math.exp(score.loss().mean());
        if (!Double.isFinite(perplexity)) {
            throw new UnrollException(path + " has a perplexity of " + perplexity
                    + ": its training diverged, or it is damaged. Nothing was published.");
        }
        return perplexity;
    }

    private void print(Decision decision, double perplexity, Double publishedPerplexity, Map<String, Object> unknown) {
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("published", decision != Decision.KEPT);
            result.put("changed", decision == Decision.PUBLISHED);
            result.put("perplexity", perplexity);
            result.put("published_perplexity", publishedPerplexity);
            result.putAll(unknown);
            System.out.println(JsonLine.of(result));
            return;
        }
        System.out.printf(Locale.ROOT, "perplexity            %.4f  %s%n", perplexity, model);
        if (publishedPerplexity != null) {
            System.out.printf(Locale.ROOT, "published perplexity  %.4f  %s%n", publishedPerplexity, target);
        }
        unknown.forEach((name, count) -> System.out.printf("%-20s  %s%n", name.replace('_', ' '), count));
        System.out.println(
                switch (decision) {
                    case PUBLISHED -> "published: " + target + " is now a copy of " + model;
                    case ALREADY_PUBLISHED -> "already published: " + target + " contains the same files as " + model;
                    case KEPT -> "kept: " + target + " is unchanged, because it predicts the text better than " + model;
                });
    }
}
