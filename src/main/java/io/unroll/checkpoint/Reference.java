package io.unroll.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Scores and ranks of normal rows: those of a part that was held out from the training, or of other rows that a user names.
 *
 * @param origin of the rows: test, validation, or a path
 * @param rows number of rows
 * @param unknownShare share of the tokens that are not in the vocabulary
 * @param scores quantiles of the scores, in bits per token: at 0, 0.01 ... 0.98, 0.99, 0.9901 ... 0.9999, 1
 * @param ranks the same quantiles of the largest rank of a token in each row; null in models of older versions
 */
public record Reference(
        String origin,
        long rows,
        double unknownShare,
        List<Double> scores,
        @JsonInclude(JsonInclude.Include.NON_NULL) List<Integer> ranks)
        implements Serializable {
    private static final int MIN_ROWS_ABOVE = 10;
    private static final int COARSE = 99;
    private static final int FINE = 100;

    /**
     * @param scores of all rows, at least one; they will be sorted
     * @param ranks the largest rank of a token in each row; they will be sorted
     */
    public static Reference of(String origin, double[] scores, int[] ranks, double unknownShare) {
        Arrays.sort(scores);
        Arrays.sort(ranks);
        List<Integer> rows = levels().stream()
                .map(level -> Math.max(0, (int) Math.ceil(level * scores.length) - 1))
                .toList();
        return new Reference(
                origin,
                scores.length,
                unknownShare,
                rows.stream().map(row -> scores[row]).toList(),
                rows.stream().map(row -> ranks[row]).toList());
    }

    /** @return the shares of the rows that are at most the quantiles in {@link #scores} and {@link #ranks} */
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
        return shareAbove(scores, score);
    }

    /** @return the share of the rows with a token above this rank, interpolated; null in models of older versions */
    public Double shareAboveRank(double rank) {
        return ranks == null ? null : Double.valueOf(shareAbove(ranks, rank));
    }

    private static double shareAbove(List<? extends Number> quantiles, double value) {
        int above = 0;
        while (above <= COARSE + FINE && quantiles.get(above).doubleValue() <= value) {
            above++;
        }
        if (above == 0 || above > COARSE + FINE) {
            return above == 0 ? 1 : 0;
        }
        double below = quantiles.get(above - 1).doubleValue();
        double share = (value - below) / (quantiles.get(above).doubleValue() - below);
        double atMost = level(above - 1) + share * (level(above) - level(above - 1));
        return Math.round((1 - atMost) * 1e9) / 1e9;
    }

    /** @return expected number of reference rows above the quantile */
    public double rowsAbove(double quantile) {
        return rows * (1 - quantile);
    }

    /** @return what to tell the user if too few reference rows are above the quantile */
    public Optional<String> warning(double quantile) {
        if (rowsAbove(quantile) >= MIN_ROWS_ABOVE - 1e-6) {
            return Optional.empty();
        }
        double accurate = Math.floor((1 - (double) MIN_ROWS_ABOVE / rows) * 1000) / 1000;
        return Optional.of(String.format(
                Locale.ROOT,
                "the quantile %s of %,d reference rows is inaccurate, because only about %.1f of them are above it (at"
                        + " least %d are needed): use more rows%s",
                quantile,
                rows,
                rowsAbove(quantile),
                MIN_ROWS_ABOVE,
                accurate > 0 ? ", or a quantile of at most " + accurate : ""));
    }
}
