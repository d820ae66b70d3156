package io.unroll.spark;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.unroll.config.UnrollException;
import io.unroll.inference.TextScore.Unscored;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;

/**
 * Rows that were written.
 *
 * @param unscored number of rows without a result, by reason
 */
public record RowCounts(long rows, Map<String, Long> unscored) {
    static final String ROWS = "rows";

    /** @return the table, whose rows are counted when it is written */
    static Dataset<Row> observe(Dataset<Row> results, Observation observation, String prefix) {
        Column[] reasons =
                columns(results.col(prefix + TableInference.UNSCORED)).toArray(Column[]::new);
        return results.observe(observation, count(lit(1)).as(ROWS), reasons);
    }

    /** @return for each reason, an aggregate that counts its rows */
    static List<Column> columns(Column unscored) {
        return Arrays.stream(Unscored.values())
                .map(reason -> times(unscored.equalTo(name(reason))).as(name(reason)))
                .toList();
    }

    /** @return an aggregate that counts how often a condition holds */
    static Column times(Column condition) {
        return coalesce(sum(when(condition, 1L)), lit(0L));
    }

    private static String name(Unscored reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    /** Waits until the observed table has been written. */
    static Map<String, Object> values(Observation observation) {
        try {
            return observation.getAsJava();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnrollException("interrupted.", e);
        }
    }

    static long number(Map<String, Object> values, String name) {
        return ((Number) values.get(name)).longValue();
    }

    static RowCounts of(Map<String, Object> values) {
        Map<String, Long> unscored = new LinkedHashMap<>();
        for (Unscored reason : Unscored.values()) {
            if (number(values, name(reason)) > 0) {
                unscored.put(name(reason), number(values, name(reason)));
            }
        }
        return new RowCounts(number(values, ROWS), unscored);
    }
}
