package io.unroll.cli;

import io.unroll.checkpoint.DirectoryLock;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.UnrollException;
import io.unroll.config.Words;
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
        description = "Copies a model to where its users find it, unless the one that is there predicts texts better. "
                + "The old model stays readable until the new one is copied and checked.",
        mixinStandardHelpOptions = true)
final class PublishCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", converter = HomePath.class, description = "The model's folder.")
    private String model;

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            converter = HomePath.class,
            description = "The folder of the published model; created if it does not exist.")
    private String target;

    @Parameters(
            index = "2..*",
            arity = "1..*",
            paramLabel = "TEXT",
            converter = HomePath.class,
            description = "Files, folders or globs that neither model was trained on.")
    private List<String> texts;

    @Option(
            names = "--tolerance",
            paramLabel = "X",
            defaultValue = "0",
            description = "Publish also where the perplexity is higher by this share, such as 0.01 for one percent "
                    + "(default: ${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    private enum Outcome {
        PUBLISHED,
        UNCHANGED,
        KEPT
    }

    @Override
    public Integer call() throws IOException {
        if (tolerance < 0) {
            throw new ConfigurationException("--tolerance is " + tolerance + "; it must be 0 or more.");
        }
        Configuration hadoop = Session.hadoopWithoutSpark();
        Places.check("MODEL", model, hadoop);
        Places.check("TARGET", target, hadoop);
        Places.check("TEXT", texts, hadoop);
        ModelFolder source = new ModelFolder(model, hadoop);
        ModelFolder published = new ModelFolder(target, hadoop);
        Model candidate = source.read();
        published.checkWritable("TARGET");
        try (DirectoryLock lock = published.lock(why -> System.err.println(why))) {
            publish(source, candidate, published, lock);
        }
        return 0;
    }

    private void publish(ModelFolder source, Model candidate, ModelFolder published, DirectoryLock lock)
            throws IOException {
        Model current = published.recover() ? published.read() : null;
        if (current != null) {
            checkComparable(candidate, current);
        }
        Score score;
        Score publishedScore;
        try (Session session = Session.start("publish " + model, 1)) {
            score = score(session, model, candidate);
            publishedScore = current == null ? null : score(session, target, current);
        }
        double perplexity = perplexity(model, score);
        Double publishedPerplexity = current == null ? null : perplexity(target, publishedScore);
        Outcome outcome = Outcome.KEPT;
        if (current == null || perplexity <= publishedPerplexity * (1 + tolerance)) {
            lock.checkNow();
            outcome = published.copyFrom(source) ? Outcome.PUBLISHED : Outcome.UNCHANGED;
        }
        print(outcome, perplexity, publishedPerplexity, unknown(candidate, score));
    }

    /** Perplexities are per token: both models must cut a text into the same ones. */
    private void checkComparable(Model candidate, Model current) {
        TokenizerName mine = candidate.vocabularies().tokens().tokenizer();
        TokenizerName its = current.vocabularies().tokens().tokenizer();
        String difference = null;
        if (candidate.settings().task() != current.settings().task()) {
            difference = "they are of different tasks ("
                    + Words.kebab(candidate.settings().task()) + " and "
                    + Words.kebab(current.settings().task()) + ")";
        } else if (mine != its) {
            difference = "they have different tokens (" + Words.kebab(mine) + " and " + Words.kebab(its) + ")";
        } else if (candidate.task().scoresDependOnSymbols()
                && !candidate.vocabularies().haveSameSymbols(current.vocabularies())) {
            difference = "their words or labels differ, and with them what is <unk>";
        }
        if (difference != null) {
            throw new ConfigurationException("the perplexities of " + model + " and " + target
                    + " cannot be compared, since " + difference + ": give another TARGET, or remove the old model.");
        }
    }

    private Score score(Session session, String path, Model of) throws IOException {
        try {
            return Evaluation.ofFiles(session, of, texts, 1)
                    .filter(found -> found.loss().tokens() > 0)
                    .orElseThrow(() -> new ConfigurationException(String.join(", ", texts)
                            + ": fewer than two tokens, or no row, so there is nothing to predict."));
        } catch (ConfigurationException e) {
            throw e;
        } catch (UnrollException e) {
            throw new UnrollException(path + " cannot be evaluated: " + e.getMessage(), e);
        }
    }

    /** @return tokens of the text that the models know only as {@code <unk>}, by their names: the same ones for both */
    private static Map<String, Object> unknown(Model candidate, Score score) {
        Map<String, Object> unknown = new LinkedHashMap<>(score.metrics(candidate.vocabularies()));
        unknown.keySet().removeIf(name -> !name.startsWith("unknown_"));
        return unknown;
    }

    private static double perplexity(String path, Score score) {
        double perplexity = Math.exp(score.loss().mean());
        if (!Double.isFinite(perplexity)) {
            throw new UnrollException(path + " has a perplexity of " + perplexity
                    + ": its training has diverged, or it is damaged; nothing is published.");
        }
        return perplexity;
    }

    private void print(Outcome outcome, double perplexity, Double publishedPerplexity, Map<String, Object> unknown) {
        if (json) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("published", outcome != Outcome.KEPT);
            result.put("changed", outcome == Outcome.PUBLISHED);
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
                switch (outcome) {
                    case PUBLISHED -> "published: " + target + " is now a copy of " + model;
                    case UNCHANGED -> "published already: " + target + " holds the same files as " + model;
                    case KEPT -> "kept: " + target + " stays as it is, since it predicts the text better than " + model;
                });
    }
}
