package io.unroll.spark;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.unroll.config.UnrollException;
import io.unroll.inference.TextScore.Unscored;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
    private static final Duration MAX_WAIT = Duration.ofMinutes(2);

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

    /** @return the counts of a table that has been written, which Spark reports a moment later */
    static Map<String, Object> values(Observation observation) {
        return values(observation, MAX_WAIT);
    }

    /** @throws UnrollException if Spark does not report the counts in time: it drops events if it has too many */
    static Map<String, Object> values(Observation observation, Duration maxWait) {
        // Observation.get has no limit.
        FutureTask<Map<String, Object>> counts = new FutureTask<>(observation::getAsJava);
        Thread waiting = new Thread(counts, "unroll-counts");
        waiting.setDaemon(true);
        waiting.start();
        try {
            return counts.get(maxWait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new UnrollException(
                    "the results are written, but Spark has not reported their counts within " + maxWait.toSeconds()
                            + " s, so none are printed: it drops events if spark.scheduler.listenerbus.eventqueue.capacity is too small.",
                    e);
        } catch (ExecutionException e) {
            throw new UnrollException("the counts of the results are not known: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnrollException("interrupted.", e);
        } finally {
            counts.cancel(true);
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
