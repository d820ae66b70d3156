package io.unroll.spark;

import static org.apache.spark.sql.functions.col;

import io.unroll.chunk.SequenceIndex.Section;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import scala.Tuple3;

/**
 * Shuffles encoded rows. The fields of a row: sort key, hash of the row, example. The first two bits of the sort key are
 * the row's {@link Section}, the others a hash.
 */
final class EncodedRows {
    private static final Encoder<Tuple3<Long, Long, byte[]>> ENCODER =
            Encoders.tuple(Encoders.LONG(), Encoders.LONG(), Encoders.BINARY());

    private static final int SECTION_SHIFT = 62;
    private static final List<Section> SECTIONS = List.of(Section.values());

    private EncodedRows() {}

    static long key(Section section, long hash) {
        // With the sign bit inverted, so that the rows are in the order of signed numbers.
        long order = RowHash.orderOf(hash) ^ Long.MIN_VALUE;
        return (long) SECTIONS.indexOf(section) << SECTION_SHIFT | (order >>> (Long.SIZE - SECTION_SHIFT));
    }

    static Section section(long key) {
        return SECTIONS.get((int) (key >>> SECTION_SHIFT));
    }

    /** @return the rows in an order that depends only on their content and on the number of partitions */
    static JavaRDD<Tuple3<Long, Long, byte[]>> sorted(
            Session session, JavaRDD<Tuple3<Long, Long, byte[]>> rows, int partitions) {
        return session.shuffle(
                rows, ENCODER, data -> data.repartition(partitions, col("_1")).sortWithinPartitions("_1", "_3"));
    }

    /** Sets the sort key of each copy of a row to a different hash, and shuffles the rows by it. */
    static JavaRDD<Tuple3<Long, Long, byte[]>> copies(
            Session session, JavaRDD<Tuple3<Long, Long, byte[]>> rows, boolean areWeighted, int partitions) {
        // Spark sorts by one number several times as fast as by a number and bytes, which only weights make different.
        Column[] order = areWeighted ? new Column[] {col("_2"), col("_3")} : new Column[] {col("_2")};
        JavaRDD<Tuple3<Long, Long, byte[]>> numbered = session.shuffle(
                        rows, ENCODER, data -> data.repartition(partitions, col("_2"))
                                .sortWithinPartitions(order))
                .mapPartitions(sorted -> {
                    CopyCounter counter = new CopyCounter();
                    return IteratorUtils.transformedIterator(
                            sorted,
                            row -> new Tuple3<>(RowHash.ofCopy(row._2(), counter.next(row._2())), row._2(), row._3()));
                });
        return session.shuffle(numbered, ENCODER, data -> data.repartition(partitions, col("_1")));
    }

    /** @return the copies, each assigned to training, validation or test, and sorted within their partitions */
    static JavaRDD<Tuple3<Long, Long, byte[]>> split(
            Session session, JavaRDD<Tuple3<Long, Long, byte[]>> copies, StratifiedGroupSplit split) {
        Broadcast<StratifiedGroupSplit> broadcast = session.broadcast(split);
        JavaRDD<Tuple3<Long, Long, byte[]>> assigned = copies.map(
                row -> new Tuple3<>(key(broadcast.value().section("", row._1()), row._1()), row._2(), row._3()));
        // Spark sorts by one number several times as fast as by a number and bytes.
        return session.shuffle(assigned, ENCODER, data -> data.sortWithinPartitions("_1"))
                .mapPartitions(EncodedRows::sortedTies)
                .flatMap(List::iterator);
    }

    /** @return the rows of each key, which are almost always one, in the order of their bytes */
    static Iterator<List<Tuple3<Long, Long, byte[]>>> sortedTies(Iterator<Tuple3<Long, Long, byte[]>> rows) {
        PeekingIterator<Tuple3<Long, Long, byte[]>> remaining = PeekingIterator.peekingIterator(rows);
        return IteratorUtils.transformedIterator(remaining, first -> {
            List<Tuple3<Long, Long, byte[]>> ties = new ArrayList<>(1);
            ties.add(first);
            while (remaining.hasNext() && remaining.peek()._1().equals(first._1())) {
                ties.add(remaining.next());
            }
            ties.sort(Comparator.comparing(Tuple3::_3, Arrays::compareUnsigned));
            return ties;
        });
    }

    private static final class CopyCounter {
        private long hash;
        private int copies;

        int next(long rowHash) {
            copies = rowHash == hash ? copies + 1 : 0;
            hash = rowHash;
            return copies;
        }
    }
}
