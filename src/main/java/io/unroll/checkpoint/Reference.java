package io.unroll.checkpoint;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Scores of normal rows: those of a part that was held out from the training, or of other rows that a user names.
 *
 * @param origin of the rows: test, validation, or a path
 * @param rows number of rows
 * @param unknownShare share of the tokens that are not in the vocabulary
 * @param scores quantiles of the scores, in bits per token: at 0, 0.01 ... 0.98, 0.99, 0.9901 ... 0.9999, 1
 */
public record Reference(String origin, long rows, double unknownShare, List<Double> scores) implements Serializable {
    private static final int COARSE = 99;
    private static final int FINE = 100;

    /** @param scores of all rows, at least one; they will be sorted */
    public static Reference of(String origin, double[] scores, double unknownShare) {
        Arrays.sort(scores);
        List<Double> quantiles = levels().stream()
                .map(level -> scores[Math.max(0, (int) Math.ceil(level * scores.length) - 1)])
                .toList();
        return new Reference(origin, scores.length, unknownShare, quantiles);
    }

    /** @return the shares of the rows whose scores are at most the quantiles in {@link #scores} */
    public static List<Double> levels() {
        return IntStream.rangeClosed(0, COARSE + FINE)
                .mapToObj(Reference::level)
                .toList();
    }

    private static double level(int index) {
        return index < COARSE ? index / 100.0 : (9900 + index - COARSE) / 10_000.0;
    }

    /** @return the score below which this share of the rows lies, interpolated; {@code quantile} is from 0 to 1 */
    public double quantile(double quantile) {
        int above = 1;
        while (above < COARSE + FINE && level(above) < quantile) {
            above++;
        }
        double share = (quantile - level(above - 1)) / (level(above) - level(above - 1));
        return scores.get(above - 1) + share * (scores.get(above) - scores.get(above - 1));
    }

    /** @return the share of the rows whose scores are above this one, interpolated */
    public double shareAbove(double score) {
        int above = 0;
        while (above <= COARSE + FINE && scores.get(above) <= score) {
            above++;
        }
        if (above == 0 || above > COARSE + FINE) {
            return above == 0 ? 1 : 0;
        }
        double share = (score - scores.get(above - 1)) / (scores.get(above) - scores.get(above - 1));
        return 1 - (level(above - 1) + share * (level(above) - level(above - 1)));
    }

    /** @return expected number of reference rows above the quantile; below 10, the quantile is inaccurate */
    public double rowsAbove(double quantile) {
        return rows * (1 - quantile);
    }
}
