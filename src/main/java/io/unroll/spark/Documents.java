package io.unroll.spark;

import static org.apache.spark.sql.functions.col;

import io.unroll.text.Row;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import scala.Tuple5;

/**
 * Groups rows into documents: rows with the same value in {@code corpus.columns.document} and, if a column splits the
 * corpus, in this column, in their order.
 */
final class Documents {
    /** Fields: document, sort key, text, order, value of the column that splits the corpus. */
    private static final Encoder<Tuple5<String, String, String, String, String>> ENCODER = Encoders.tuple(
            Encoders.STRING(), Encoders.STRING(), Encoders.STRING(), Encoders.STRING(), Encoders.STRING());

    private Documents() {}

    /**
     * @param origin of the rows, for messages
     * @param scan of the rows
     * @param gap time after which a new document begins; zero for no limit
     * @throws UnrollException if the rows are not those of the scan
     */
    static JavaRDD<Row> group(
            Session session, RowReader reader, String origin, JavaRDD<Row> rows, RowScan scan, Duration gap) {
        JavaRDD<Tuple5<String, String, String, String, String>> keyed = rows.filter(reader::isUsable)
                .map(row -> new Tuple5<>(
                        row.value(RowSource.DOCUMENT),
                        OrderKeys.key(row.value(RowSource.ORDER)),
                        row.value("text"),
                        row.value(RowSource.ORDER),
                        row.values().getOrDefault(RowSource.SPLIT, "")));
        double gapSeconds = gap.toNanos() / 1e9;
        int partitions = Math.toIntExact(1 + scan.characters() / Session.TASK_BYTES);
        JavaRDD<Tuple5<String, String, String, String, String>> sorted =
                session.shuffle(keyed, ENCODER, data -> data.repartition(partitions, col("_1"))
                        .sortWithinPartitions("_1", "_5", "_2", "_3", "_4"));
        LongAdder hash = new LongAdder();
        session.forEachPartition("prepare: check rows", sorted, part -> hash(part, reader.hashes()), hash::add);
        scan.checkSame(origin, hash.sum());
        return sorted.mapPartitions(part -> {
            var remaining = PeekingIterator.peekingIterator(part);
            return IteratorUtils.transformedIterator(remaining, first -> document(first, remaining, gapSeconds));
        });
    }

    private static long hash(Iterator<Tuple5<String, String, String, String, String>> rows, RowHash hashes) {
        long hash = 0;
        while (rows.hasNext()) {
            Tuple5<String, String, String, String, String> row = rows.next();
            hash += hashes.of(new Row("", Row.UNNUMBERED, values(row._1(), row._3(), row._4(), row._5())));
        }
        return hash;
    }

    private static Map<String, String> values(String document, String text, String order, String split) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("text", text);
        values.put(RowSource.DOCUMENT, document);
        values.put(RowSource.ORDER, order);
        if (!split.isEmpty()) {
            values.put(RowSource.SPLIT, split);
        }
        return values;
    }

    /** Reads the rest of a document: the next rows, up to the first that does not continue it. */
    private static Row document(
            Tuple5<String, String, String, String, String> first,
            PeekingIterator<Tuple5<String, String, String, String, String>> remaining,
            double gapSeconds) {
        StringBuilder text = new StringBuilder(first._3());
        Tuple5<String, String, String, String, String> last = first;
        while (remaining.hasNext() && continues(last, remaining.peek(), gapSeconds)) {
            last = remaining.next();
            if (text.length() <= Row.MAX_CHARACTERS) {
                text.append(Row.SEPARATOR).append(last._3());
            }
        }
        return new Row(
                "the document " + first._1(),
                Row.UNNUMBERED,
                values(first._1(), text.toString(), last._4(), last._5()));
    }

    private static boolean continues(
            Tuple5<String, String, String, String, String> last,
            Tuple5<String, String, String, String, String> next,
            double gapSeconds) {
        return last._1().equals(next._1())
                && last._5().equals(next._5())
                && (gapSeconds == 0 || OrderKeys.seconds(next._4()) - OrderKeys.seconds(last._4()) <= gapSeconds);
    }
}
