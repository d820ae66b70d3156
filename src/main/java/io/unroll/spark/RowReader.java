package io.unroll.spark;

import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Example;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.storage.RowFiles;
import io.unroll.task.Examples;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.commons.collections4.ListUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple3;

/**
 * Checks and converts rows in the tasks.
 *
 * @param columns the columns of fields, if they are not called like the fields
 * @param folder of the files that rows name
 * @param skips whether malformed rows are skipped
 * @param groups whether scans count the rows of groups
 * @param times whether the order of each row must be a time
 * @param given vocabularies that rows must fit; null if they are built from the rows
 */
record RowReader(
        Examples examples,
        RowHash hashes,
        Map<String, String> columns,
        String folder,
        boolean skips,
        boolean groups,
        boolean times,
        Broadcast<Vocabularies> given)
        implements Serializable {

    /** @param given vocabularies that rows must fit, for example because their labels must be known */
    static RowReader of(
            Session session, Settings settings, Examples examples, List<String> fields, Optional<Vocabularies> given) {
        return new RowReader(
                examples,
                new RowHash(ListUtils.subtract(fields, List.of(RowSource.WEIGHT))),
                named(settings.corpus(), fields),
                settings.corpus().images(),
                settings.corpus().malformed() == Settings.Malformed.SKIP,
                settings.splitBy().equals("content"),
                fields.contains(RowSource.DOCUMENT) && !settings.corpus().gap().isZero(),
                given.map(session::broadcast).orElse(null));
    }

    private static Map<String, String> named(Settings.Corpus corpus, List<String> fields) {
        Map<String, String> columns = new HashMap<>(corpus.columns());
        columns.put(RowSource.SPLIT, corpus.splitBy());
        columns.entrySet().removeIf(column -> column.getKey().equals(column.getValue()));
        columns.keySet().retainAll(fields);
        return columns;
    }

    /**
     * @param origin of the rows, for messages
     * @throws UnrollException for the first malformed row, unless such rows are skipped
     * @throws ConfigurationException if there are no usable rows
     */
    RowScan scan(Session session, String description, String origin, JavaRDD<Row> rows) {
        return scan(session, description, origin, rows, (row, counters) -> {});
    }

    /**
     * @param counter counts the symbols of a row
     * @throws UnrollException as without a counter
     */
    RowScan scan(
            Session session,
            String description,
            String origin,
            JavaRDD<Row> rows,
            VoidFunction2<Row, SymbolCounters> counter) {
        return scan(session, description, origin, rows, part -> scan(part, this::check, counter));
    }

    private static RowScan scan(
            Session session,
            String description,
            String origin,
            JavaRDD<Row> rows,
            Function<Iterator<Row>, RowScan> scanPart) {
        RowScan scan = new RowScan();
        session.forEachPartition(description, rows, scanPart, scan::add);
        if (scan.rows() == 0) {
            throw new ConfigurationException(origin + " contains no usable rows"
                    + (scan.skipped().isEmpty()
                            ? "."
                            : "; " + CorpusSize.sum(scan.skipped()) + " rows are malformed: "
                                    + CorpusSize.reasons(scan.skipped(), ", ") + "."));
        }
        return scan;
    }

    /**
     * @param origin of the rows, for messages
     * @return the scan of the rows whose files can be read
     * @throws ConfigurationException if there are none
     */
    RowScan scanFiles(Session session, String origin, JavaRDD<Row> rows) {
        var hadoop = session.hadoopBroadcast();
        return scan(session, "prepare: check files", origin, rows, part -> {
            RowFiles files = new RowFiles(folder, hadoop.value().value());
            Consumer<Row> check = row -> {
                check(row);
                examples.read(row, files);
            };
            return scan(part, check, (row, counters) -> {});
        });
    }

    private RowScan scan(Iterator<Row> rows, Consumer<Row> check, VoidFunction2<Row, SymbolCounters> counter)
            throws Exception {
        RowScan scan = new RowScan();
        SymbolCounters counters = new SymbolCounters();
        while (rows.hasNext()) {
            Row row = rows.next();
            Optional<Row> usable = attempt(row, scan::skip, () -> {
                check.accept(row);
                return row;
            });
            if (usable.isPresent()) {
                scan.add(row, hashes);
                counter.call(row, counters);
                if (groups) {
                    scan.addGroup(examples.stratum(row), examples.group(row));
                }
            }
        }
        scan.addCounts(counters.counts());
        return scan;
    }

    private void check(Row row) {
        for (String field : hashes.fields()) {
            row.value(field);
        }
        if (hashes.fields().contains(RowSource.SPLIT)) {
            HoldOut.BY_COLUMN.section(row);
        }
        RowWeights.of(row);
        if (times) {
            OrderKeys.seconds(row.value(RowSource.ORDER));
        }
        examples.check(row);
        if (given != null) {
            examples.check(row, given.value());
        }
    }

    /** @return whether a scan counts the row; false for a malformed row */
    boolean isUsable(Row row) {
        try {
            check(row);
            return true;
        } catch (MalformedRowException e) {
            return false;
        }
    }

    /**
     * @param skipped receives the reason if the row is skipped
     * @return empty if the row is malformed and is skipped
     */
    private <T> Optional<T> attempt(Row row, Consumer<String> skipped, Supplier<T> conversion) {
        try {
            return Optional.of(conversion.get());
        } catch (MalformedRowException e) {
            if (skips) {
                skipped.accept(e.reason());
                return Optional.empty();
            }
            throw new UnrollException(
                    row.place() + ": " + e.getMessage() + column(row)
                            + ". Correct the row, or skip such rows with corpus.malformed = skip.",
                    e);
        }
    }

    /** @return the column of the first missing value; empty if there is none, or the column is the default */
    private String column(Row row) {
        return row.values().isEmpty()
                ? ""
                : Stream.concat(hashes.fields().stream(), Stream.of(RowSource.WEIGHT))
                        .filter(field -> row.values().containsKey(field))
                        .filter(field -> row.values().get(field) == null)
                        .findFirst()
                        .filter(field -> columns.containsKey(field))
                        .map(field -> " (" + RowSource.key(field) + " is " + columns.get(field) + ")")
                        .orElse("");
    }

    /** @return the fields of {@link EncodedRows}; none if the row is skipped */
    Iterator<Tuple3<Long, Long, byte[]>> encode(
            Row row,
            Vocabularies vocabularies,
            Example.Type type,
            HoldOut holdOut,
            RowWeights weights,
            Configuration hadoop) {
        return attempt(row, reason -> {}, () -> {
                    check(row);
                    Example example = examples.encode(
                                    row, examples.read(row, new RowFiles(folder, hadoop)), vocabularies)
                            .withWeight(weights.of(row, examples));
                    long hash = hashes.of(row);
                    return new Tuple3<>(EncodedRows.key(holdOut.section(row), hash), hash, example.toBytes(type));
                })
                .stream()
                .iterator();
    }
}
