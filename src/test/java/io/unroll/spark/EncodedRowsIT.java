package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.SequenceIndex.Section;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.junit.jupiter.api.Test;
import scala.Tuple3;

/** Many rows, half of them copies, in several partitions. */
class EncodedRowsIT extends LocalSparkSession {
    private static final int ROWS = 2_000;
    private static final int PARTITIONS = 5;
    private static final int COPIES = ROWS / 2;

    /** A row in a partition of the result. */
    private record Placed(int partition, Section section, String text) {}

    @Test
    void copiesAreSplitInTheSameWayInWhateverOrderTheyAreRead() {
        List<Placed> expected = copies(rows(1), 1);

        assertEquals(expected, copies(rows(2), 7));
        assertEquals(ROWS, expected.size());
        List<Placed> training = expected.stream()
                .filter(row -> row.section() == Section.TRAINING)
                .toList();
        assertEquals(1_400.0, training.size(), 2);
        for (Section section : List.of(Section.TRAINING, Section.VALIDATION, Section.TEST)) {
            long copies = expected.stream()
                    .filter(row -> row.section() == section && row.text().startsWith("copy,"))
                    .count();
            long all = expected.stream().filter(row -> row.section() == section).count();
            assertEquals(0.5, (double) copies / all, 0.1, section.toString());
        }
    }

    @Test
    void rowsAreSortedInTheSameWayInWhateverOrderTheyAreRead() {
        List<Placed> expected = sorted(rows(1), 1);

        assertEquals(expected, sorted(rows(2), 7));
        Set<Integer> partitions = new HashSet<>();
        expected.forEach(row -> partitions.add(row.partition()));
        assertEquals(PARTITIONS, partitions.size());
        assertTrue(expected.stream().allMatch(row -> row.section() == Section.VALIDATION));
    }

    /** Different rows whose hashes are equal are in the order of their bytes, as unsigned numbers. */
    @Test
    void rowsWithTheSameKeyAreSorted() {
        List<String> sorted = new ArrayList<>();
        EncodedRows.sortedTies(List.of(row(1, "a"), row(2, "z"), row(2, "\u00e9"), row(2, "b"), row(3, "a"))
                        .iterator())
                .forEachRemaining(ties -> ties.forEach(tie -> sorted.add(tie._1() + text(tie))));
        assertEquals(List.of("1a", "2b", "2z", "2\u00e9", "3a"), sorted);
    }

    private static Tuple3<Long, Long, byte[]> row(long key, String text) {
        return new Tuple3<>(key, 0L, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(Tuple3<Long, Long, byte[]> row) {
        return new String(row._3(), StandardCharsets.UTF_8);
    }

    /** The texts are equal, but not their weights, which are after the comma. */
    private static List<String> rows(long seed) {
        List<String> rows = new ArrayList<>();
        IntStream.range(0, COPIES).forEach(i -> rows.add("copy," + i % 10));
        IntStream.range(0, ROWS - COPIES).forEach(i -> rows.add("row " + i));
        Collections.shuffle(rows, new Random(seed));
        return rows;
    }

    private static List<Placed> copies(List<String> rows, int partitions) {
        JavaRDD<Tuple3<Long, Long, byte[]>> copies =
                EncodedRows.copies(session, encoded(rows, partitions, Section.TRAINING), true, PARTITIONS);
        GroupSizes sizes = new GroupSizes();
        copies.collect().forEach(row -> sizes.add("", row._1()));
        return placed(EncodedRows.split(session, copies, new StratifiedGroupSplit(sizes, 0.2, 0.1)));
    }

    private static List<Placed> sorted(List<String> rows, int partitions) {
        return placed(EncodedRows.sorted(session, encoded(rows, partitions, Section.VALIDATION), PARTITIONS));
    }

    private static JavaRDD<Tuple3<Long, Long, byte[]>> encoded(List<String> rows, int partitions, Section section) {
        return session.parallelize(rows).coalesce(partitions).map(text -> {
            long hash = RowHash.of(text.split(",")[0]);
            return new Tuple3<>(EncodedRows.key(section, hash), hash, text.getBytes(StandardCharsets.UTF_8));
        });
    }

    private static List<Placed> placed(JavaRDD<Tuple3<Long, Long, byte[]>> rows) {
        List<Placed> placed = new ArrayList<>();
        List<List<Tuple3<Long, Long, byte[]>>> partitions = rows.glom().collect();
        for (int i = 0; i < partitions.size(); i++) {
            for (Tuple3<Long, Long, byte[]> row : partitions.get(i)) {
                placed.add(new Placed(i, EncodedRows.section(row._1()), new String(row._3(), StandardCharsets.UTF_8)));
            }
        }
        return placed;
    }
}
