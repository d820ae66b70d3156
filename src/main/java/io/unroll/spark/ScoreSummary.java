package io.unroll.spark;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.lower;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.unroll.checkpoint.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;

/**
 * Counts scored rows, alarms and unknown tokens while the scores are written; if the rows have labels, also how well
 * alarms at several thresholds agree with them.
 */
public final class ScoreSummary {
    /** Labels of normal rows, in lower case; all others are anomalies. */
    private static final Object[] NORMAL = {"normal", "0", "0.0", "false", "no", "-", "benign", "success"};

    private static final double[] QUANTILES = {0.9, 0.95, 0.99, 0.995, 0.999, 0.9999};
    private static final double[] RANKS = {1, 3, 5, 9, 15, 30};

    private final Observation observation = new Observation();
    private final Optional<Reference> reference;
    private final AnomalyRule rule;
    private final String prefix;
    private final Column anomalous;
    private final boolean areLabelled;
    private final List<Threshold> thresholds = new ArrayList<>();

    /** @param level quantile or rank; null for the rule of the column {@code anomaly} */
    private record Threshold(String by, Double level, AnomalyRule rule) {
        String name() {
            return level == null ? by : by + " " + level;
        }
    }

    /**
     * @param reference scores of normal rows
     * @param rule of the column {@code anomaly}
     * @param prefix of the names of the new columns
     * @param label the column with the labels
     * @param vocabulary number of tokens, which no rank exceeds
     */
    ScoreSummary(
            Optional<Reference> reference, AnomalyRule rule, String prefix, Optional<Column> label, int vocabulary) {
        this.reference = reference;
        this.rule = rule;
        this.prefix = prefix;
        this.areLabelled = label.isPresent();
        Column text = lower(trim(label.orElse(lit("")).cast("string")));
        this.anomalous =
                when(text.isNotNull().and(text.notEqual("")), text.isin(NORMAL).unary_$bang());
        if (rule.threshold() != null) {
            thresholds.add(new Threshold("chosen", null, rule));
        }
        reference.ifPresent(scores -> {
            for (double quantile : QUANTILES) {
                if (scores.rowsAbove(quantile) >= 1) {
                    AnomalyRule above = new AnomalyRule(AnomalyRule.By.SCORE, scores.quantile(quantile));
                    thresholds.add(new Threshold("quantile", quantile, above));
                }
            }
        });
        for (double rank : RANKS) {
            if (rank < vocabulary) {
                thresholds.add(new Threshold("top-g", rank, new AnomalyRule(AnomalyRule.By.RANK, rank)));
            }
        }
    }

    private Column column(String name) {
        return col(prefix + name);
    }

    /** @return the table, whose counts are known when it has been written once */
    Dataset<Row> observe(Dataset<Row> scored) {
        List<Column> counts = new ArrayList<>();
        counts.add(RowCounts.times(column("score").isNotNull()).as("scored"));
        counts.add(coalesce(sum(column("tokens")), lit(0L)).as("tokens"));
        counts.add(coalesce(sum(column("unknown_tokens")), lit(0L)).as("unknown"));
        counts.addAll(RowCounts.columns(column(TableInference.UNSCORED)));
        if (areLabelled) {
            counts.add(
                    RowCounts.times(anomalous.and(column("score").isNotNull())).as("anomalous"));
            counts.add(
                    RowCounts.times(anomalous.unary_$bang().and(column("score").isNotNull()))
                            .as("normal"));
        }
        thresholds.forEach(threshold -> {
            String name = threshold.name();
            AnomalyRule compared = threshold.rule();
            Column value = column(compared.by() == AnomalyRule.By.SCORE ? "score" : "max_rank");
            Column alarm = value.gt(compared.threshold());
            counts.add(RowCounts.times(alarm).as("alarms " + name));
            if (areLabelled) {
                counts.add(RowCounts.times(alarm.and(anomalous)).as("true " + name));
                counts.add(RowCounts.times(alarm.and(anomalous.unary_$bang())).as("false " + name));
            }
        });
        return scored.observe(observation, count(lit(1)).as("rows"), counts.toArray(Column[]::new));
    }

    /**
     * Alarms at a threshold.
     *
     * @param by quantile or top-g; chosen for the rule of the column {@code anomaly}
     * @param level the quantile or rank; null for the chosen rule
     * @param precision share of the labelled alarms that are anomalies, 0 without alarms; null without labels, like
     *     {@code recall} and {@code f1}
     */
    public record Alarms(
            String by, Double level, double threshold, long alarms, Double precision, Double recall, Double f1) {}

    /**
     * Normal rows, for comparison.
     *
     * @param alarmShare share of them that are above the threshold; null without a threshold, or if their ranks are unknown
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Normal(String origin, long rows, double unknownShare, Double alarmShare) {}

    /**
     * What was scored.
     *
     * @param alarms number of anomalies; null without a threshold, like {@code alarmShare}, the share of the scored rows
     * @param unknownShare share of the tokens that are not in the vocabulary
     * @param reference null without scores of normal rows
     * @param labels number of rows that are anomalous, normal, and without a label; null without labels
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Counts(
            @JsonUnwrapped RowCounts rows,
            long scored,
            Long alarms,
            Double alarmShare,
            Double threshold,
            long tokens,
            double unknownShare,
            Normal reference,
            Map<String, Long> labels,
            List<Alarms> thresholds) {}

    /** @return the counts; waits until the table has been written */
    public Counts counts() {
        Map<String, Object> values = RowCounts.values(observation);
        long scored = RowCounts.number(values, "scored");
        boolean labelled =
                areLabelled && RowCounts.number(values, "normal") + RowCounts.number(values, "anomalous") > 0;
        Long alarms = rule.threshold() == null ? null : RowCounts.number(values, "alarms chosen");
        return new Counts(
                RowCounts.of(values),
                scored,
                alarms,
                alarms == null ? null : share(alarms, scored),
                rule.threshold(),
                RowCounts.number(values, "tokens"),
                share(RowCounts.number(values, "unknown"), RowCounts.number(values, "tokens")),
                reference.map(this::normal).orElse(null),
                labelled ? labels(values, scored) : null,
                thresholds.stream()
                        .map(threshold -> alarms(threshold, labelled, values))
                        .toList());
    }

    private static Map<String, Long> labels(Map<String, Object> values, long scored) {
        long anomalous = RowCounts.number(values, "anomalous");
        long normal = RowCounts.number(values, "normal");
        Map<String, Long> labels = new LinkedHashMap<>();
        labels.put("anomalous", anomalous);
        labels.put("normal", normal);
        labels.put("none", scored - anomalous - normal);
        return labels;
    }

    private Normal normal(Reference scores) {
        return new Normal(scores.origin(), scores.rows(), scores.unknownShare(), rule.alarmShare(scores));
    }

    private static double share(long part, long all) {
        return all == 0 ? 0 : (double) part / all;
    }

    private static Alarms alarms(Threshold threshold, boolean labelled, Map<String, Object> values) {
        String name = threshold.name();
        double value = threshold.rule().threshold();
        long alarms = RowCounts.number(values, "alarms " + name);
        if (!labelled) {
            return new Alarms(threshold.by(), threshold.level(), value, alarms, null, null, null);
        }
        long hits = RowCounts.number(values, "true " + name);
        double precision = share(hits, hits + RowCounts.number(values, "false " + name));
        double recall = share(hits, RowCounts.number(values, "anomalous"));
        double f1 = hits == 0 ? 0 : 2 * precision * recall / (precision + recall);
        return new Alarms(threshold.by(), threshold.level(), value, alarms, precision, recall, f1);
    }
}
