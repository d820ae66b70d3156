package io.unroll.spark;

import static org.apache.spark.sql.functions.col;

import io.unroll.chunk.SequenceIndex.Section;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import scala.Tuple4;

/**
 * Shuffles encoded rows. The fields of a row: name of
 * its {@link Section}, sort key, hash of the row, example.
 */
final class EncodedRows {
    private static final Encoder<Tuple4<String, Long, Long, byte[]>> ENCODER =
            Encoders.tuple(Encoders.STRING(), Encoders.LONG(), Encoders.LONG(), Encoders.BINARY());

    private EncodedRows() {}

    /** @return the rows in an order that depends only on their content and on the number of partitions */
    static JavaRDD<Tuple4<String, Long, Long, byte[]>> sorted(
            Session session, JavaRDD<Tuple4<String, Long, Long, byte[]>> rows, int partitions) {
        return session.shuffle(
                rows, ENCODER, data -> data.repartition(partitions, col("_2")).sortWithinPartitions("_1", "_2", "_4"));
    }

    /** Assigns a different sort key to each copy of a row, and assigns the copy to training, validation or test. */
    static JavaRDD<Tuple4<String, Long, Long, byte[]>> numberCopies(
            Session session, JavaRDD<Tuple4<String, Long, Long, byte[]>> rows, int partitions, HoldOut holdOut) {
        return session.shuffle(rows, ENCODER, data -> data.repartition(partitions, col("_3"))
                        .sortWithinPartitions("_3", "_4"))
                .mapPartitions(sorted -> {
                    CopyCounter counter = new CopyCounter();
                    return IteratorUtils.transformedIterator(sorted, row -> {
                        long hash = RowHash.ofCopy(row._3(), counter.next(row._3()));
                        String part = holdOut.section(null, hash).name();
                        return new Tuple4<>(part, RowHash.orderOf(hash), row._3(), row._4());
                    });
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
