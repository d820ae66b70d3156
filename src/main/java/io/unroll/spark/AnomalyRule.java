package io.unroll.spark;

import io.unroll.checkpoint.Reference;
import io.unroll.inference.TextScore;
import java.io.Serializable;

/**
 * Which scores are anomalies.
 *
 * @param by what is compared with the threshold
 * @param threshold the largest value that is normal; null if nothing is compared
 */
public record AnomalyRule(By by, Double threshold) implements Serializable {
    private static final long serialVersionUID = 1;

    /** Nothing is an anomaly, and nothing is normal. */
    public static final AnomalyRule NONE = new AnomalyRule(By.SCORE, null);

    /** What is compared with the threshold. */
    public enum By {
        SCORE,
        /** DeepLog's rule (Du et al. 2017): a token is not among the most probable ones. */
        RANK
    }

    /** @return null without a threshold */
    Boolean isAnomaly(TextScore score) {
        return threshold == null ? null : (by == By.SCORE ? score.score() : score.maxRank()) > threshold;
    }

    /** @return the share of normal rows that are anomalies; null without a threshold, or if their ranks are unknown */
    Double alarmShare(Reference normal) {
        if (threshold == null) {
            return null;
        }
        return by == By.RANK ? normal.shareAboveRank(threshold) : (Double) normal.shareAbove(threshold);
    }
}
