package io.unroll.cli;

import io.unroll.checkpoint.Reference;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.UserPath;
import io.unroll.spark.AnomalyRule;
import io.unroll.spark.ScoreJob;
import io.unroll.spark.ScoreSummary;
import io.unroll.spark.Session;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "score",
        description =
                "Scores the rows of a table with a language model: adds the surprisal of each row, in mean bits per token, "
                        + "and its most surprising token. The output has all columns of the input. If the input has a column "
                        + "label (corpus.columns.label), precision, recall and F1 are printed: the labels normal, 0, false, no, -, benign and "
                        + "success are normal, all others are anomalies.",
        mixinStandardHelpOptions = true)
final class ScoreCommand implements Callable<Integer> {
    private static final double DEFAULT_QUANTILE = 0.999;

    @Mixin
    private InferenceOptions options;

    @Option(
            names = "--quantile",
            paramLabel = "Q",
            description =
                    "A row is an anomaly if its score is above this quantile of the scores of the reference rows: those held "
                            + "out from training, or of --reference (default: 0.999).")
    private Double quantile;

    @Option(names = "--threshold", paramLabel = "X", description = "A row is an anomaly if its score is above X.")
    private Double threshold;

    @Option(
            names = "--top-g",
            paramLabel = "G",
            description =
                    "A row is an anomaly if one of its tokens is not among the G most probable ones (DeepLog's rule).")
    private Integer topG;

    @Option(
            names = "--reference",
            paramLabel = "INPUT",
            description =
                    "Other reference rows, instead of the held-out ones: a path, corpus.table=NAME or corpus.query=SELECT...")
    private String reference;

    @Option(
            names = "--key",
            paramLabel = "COLUMN",
            description =
                    "Rows with the same value are a document, in which the state is carried from row to row; none: score "
                            + "each row on its own (default: corpus.columns.document of the model).")
    private String key;

    @Option(
            names = "--order-by",
            paramLabel = "COLUMN",
            description = "The column that orders the rows of a document (default: corpus.columns.order of the model).")
    private String orderBy;

    @Option(names = "--bits", description = "Add the column bits: the surprisal of each token.")
    private boolean bits;

    @Option(
            names = "--metrics",
            paramLabel = "FILE",
            converter = PathConverter.class,
            description = "Also write the number of rows, alarms and unscored rows to this file, as a JSON object.")
    private String metrics;

    @Override
    public Integer call() throws IOException {
        EvaluatedText input = options.input();
        checkRule();
        for (String setting : input.settings()) {
            if (setting.matches("corpus\\.columns\\.(document|order)=.*")) {
                throw new ConfigurationException(setting + " cannot be given here: use --key and --order-by.");
            }
        }
        options.prefix();
        if (reference != null && !ScoreJob.isTableOrQuery(reference)) {
            reference = UserPath.expanded(reference);
            PathChecks.check("--reference", reference, Session.submittedHadoopConfiguration());
        }
        TrainedModel trained = options.readModel();
        Settings.TaskName task = trained.settings().task();
        if (task != Settings.TaskName.LANGUAGE_MODEL) {
            throw new ConfigurationException(options.model() + " has task = " + SettingNames.kebab(task)
                    + ", but score needs a language model: use predict.");
        }
        int vocabulary = trained.vocabularies().tokens().size();
        if (topG != null && topG >= vocabulary) {
            throw new ConfigurationException("--top-g is " + topG + ", but the vocabulary has only " + vocabulary
                    + " tokens, so no rank is above it: give a smaller one.");
        }
        Optional<CountsFile> file =
                Optional.ofNullable(metrics).map(path -> new CountsFile(path, Session.submittedHadoopConfiguration()));
        ScoreSummary.Counts counts;
        try (Session session = Session.start("score " + options.model(), 1);
                ScoreJob job = new ScoreJob(session, trained, Optional.ofNullable(key), Optional.ofNullable(orderBy))) {
            Dataset<Row> rows = job.read(input.files(), options.output(), options.prefix(), bits);
            Optional<Reference> normal = reference == null
                    ? Optional.ofNullable(trained.manifest().reference())
                    : Optional.of(job.reference(reference));
            counts = job.score(rows, options.output(), rule(normal), normal, options.prefix(), bits);
        }
        file.ifPresent(counted -> counted.write(counts));
        if (options.json()) {
            System.out.println(JsonLine.of(counts));
        } else {
            print(options.output().name(), counts);
        }
        return 0;
    }

    /** Checks the options before any work. */
    private void checkRule() {
        List<String> given = new ArrayList<>();
        Map<String, Boolean> options =
                Map.of("--quantile", quantile != null, "--threshold", threshold != null, "--top-g", topG != null);
        options.forEach((name, isGiven) -> {
            if (isGiven) {
                given.add(name);
            }
        });
        if (given.size() > 1) {
            throw new ConfigurationException(String.join(
                            " and ", given.stream().sorted().toList()) + " are given: leave all but one of them out.");
        }
        if (quantile != null && !(quantile > 0 && quantile < 1)) {
            throw new ConfigurationException("--quantile is " + quantile + "; it must be above 0 and below 1.");
        }
        if (threshold != null && !Double.isFinite(threshold)) {
            throw new ConfigurationException("--threshold is " + threshold + "; it must be a number.");
        }
        if (topG != null && topG < 1) {
            throw new ConfigurationException("--top-g is " + topG + "; it must be 1 or more.");
        }
    }

    private AnomalyRule rule(Optional<Reference> normal) {
        if (topG != null) {
            return new AnomalyRule(AnomalyRule.By.RANK, (double) topG);
        }
        if (threshold != null) {
            return new AnomalyRule(AnomalyRule.By.SCORE, threshold);
        }
        double share = quantile == null ? DEFAULT_QUANTILE : quantile;
        if (normal.isEmpty()) {
            if (quantile != null) {
                throw new ConfigurationException(
                        "--quantile needs the scores of reference rows, but " + options.model()
                                + " has none, since it was trained without a held-out part or by an older version: give --reference.");
            }
            System.err.println("unroll: warning: " + options.model()
                    + " has no reference scores, so the column anomaly is empty: give"
                    + " --reference, --threshold or --top-g.");
            return AnomalyRule.NONE;
        }
        normal.get().warning(share).ifPresent(warning -> System.err.println("unroll: warning: " + warning + "."));
        return new AnomalyRule(AnomalyRule.By.SCORE, normal.get().quantile(share));
    }

    private static void print(String output, ScoreSummary.Counts counts) {
        System.out.println("output          " + output);
        System.out.println("rows            " + InferenceOptions.text(counts.rows()));
        ScoreSummary.Normal normal = counts.reference();
        if (counts.threshold() != null) {
            String ofNormal = normal == null || normal.alarmShare() == null
                    ? ""
                    : "; of the reference rows " + percent(normal.alarmShare());
            System.out.printf(
                    Locale.ROOT,
                    "alarms          %,d, %s of the scored rows%s%n",
                    counts.alarms(),
                    percent(counts.alarmShare()),
                    ofNormal);
        }
        System.out.printf(
                Locale.ROOT,
                "unknown tokens  %s of %,d%s%n",
                percent(counts.unknownShare()),
                counts.tokens(),
                normal == null ? "" : "; of the reference rows " + percent(normal.unknownShare()));
        if (normal != null) {
            System.out.printf(Locale.ROOT, "reference rows  %,d, from %s%n", normal.rows(), normal.origin());
        }
        if (counts.labels() != null) {
            System.out.printf(
                    Locale.ROOT,
                    "labels          %,d anomalous, %,d normal, %,d without a label%n",
                    counts.labels().get("anomalous"),
                    counts.labels().get("normal"),
                    counts.labels().get("none"));
        }
        System.out.printf("%n%-18s %10s %10s", "", "threshold", "alarms");
        System.out.println(counts.labels() == null ? "" : "  precision     recall         F1");
        for (ScoreSummary.Alarms alarms : counts.thresholds()) {
            String by = alarms.by()
                    + (alarms.level() == null
                            ? ""
                            : " "
                                    + BigDecimal.valueOf(alarms.level())
                                            .stripTrailingZeros()
                                            .toPlainString());
            System.out.printf(Locale.ROOT, "%-18s %10.4f %10d", by, alarms.threshold(), alarms.alarms());
            System.out.println(
                    alarms.f1() == null
                            ? ""
                            : String.format(
                                    Locale.ROOT,
                                    " %10.4f %10.4f %10.4f",
                                    alarms.precision(),
                                    alarms.recall(),
                                    alarms.f1()));
        }
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }
}
