package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.ExampleIndex;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StratifiedGroupSplitTest {
    @Test
    void splitsEachStratumByTheShares() {
        Map<String, long[]> groups = Map.of("many", hashes("m", 1000), "few", hashes("f", 20));
        StratifiedGroupSplit groupSplit = StratifiedGroupSplit.of(groups, 0.2, 0.1, 7);

        Map<String, Integer> counts = new HashMap<>();
        for (String stratum : groups.keySet()) {
            int rows = groups.get(stratum).length;
            for (int i = 0; i < rows; i++) {
                int part =
                        groupSplit.position(stratum, stratum.charAt(0) + "" + i).part();
                counts.merge(stratum + splitName(groupSplit, part), 1, Integer::sum);
            }
        }

        assertEquals(
                Map.of(
                        "many training",
                        700,
                        "many validation",
                        200,
                        "many test",
                        100,
                        "few training",
                        14,
                        "few validation",
                        4,
                        "few test",
                        2),
                counts);
        ExampleIndex index = groupSplit.index("hash", List.of(), 0, 0, 0);
        assertEquals(714, index.training());
        assertEquals(204, index.validation());
        assertEquals(102, index.test());
    }

    /** Of the seven files, training has five, validation and test one each. */
    private static String splitName(StratifiedGroupSplit groupSplit, int part) {
        int files = groupSplit.partitioner(key -> (Integer) key).numPartitions();
        assertEquals(7, files);
        return part == files - 1 ? " test" : part == files - 2 ? " validation" : " training";
    }

    @Test
    void keepsEqualRowsInOneSplit() {
        long[] hashes = IntStream.range(0, 1000)
                .mapToLong(i -> StratifiedGroupSplit.hash("r" + i % 10))
                .toArray();
        StratifiedGroupSplit groupSplit = StratifiedGroupSplit.of(Map.of("", hashes), 0.25, 0.25, 3);
        ExampleIndex index = groupSplit.index("hash", List.of(), 0, 0, 0);

        assertEquals(1000, index.examples());
        for (long rows : new long[] {index.training(), index.validation(), index.test()}) {
            assertTrue(rows > 0 && rows % 100 == 0, "a group was divided: " + rows);
        }
    }

    /** For example, the captions of one image, or the targets of one source. */
    @Test
    void assignsGroupsLargerThanTheirShareToTraining() {
        for (int large = 0; large < 50; large++) {
            int first = large * 1000;
            long[] hashes = IntStream.range(0, 1000)
                    .mapToLong(i -> StratifiedGroupSplit.hash("r" + (first + Math.max(400, i))))
                    .toArray();
            StratifiedGroupSplit groupSplit = StratifiedGroupSplit.of(Map.of("", hashes), 0.1, 0.1, 3);
            ExampleIndex index = groupSplit.index("hash", List.of(), 0, 0, 0);

            assertTrue(groupSplit.isTraining("", "r" + (first + 400)));
            assertEquals(List.of(800L, 100L, 100L), List.of(index.training(), index.validation(), index.test()));
        }
    }

    @Test
    void assignsGroupsTooLargeForTestToValidation() {
        long[] hashes = IntStream.range(0, 1000)
                .mapToLong(i -> StratifiedGroupSplit.hash("r" + i / 20))
                .toArray();
        ExampleIndex index =
                StratifiedGroupSplit.of(Map.of("", hashes), 0.2, 0.01, 3).index("hash", List.of(), 0, 0, 0);

        assertEquals(0, index.test());
        assertEquals(220, index.validation());
    }

    @Test
    void assignsAGroupOfEachStratumToTraining() {
        long[] equalHashes = hashes("a", 1);
        for (int copies = 1; copies < 50; copies++) {
            int rows = copies;
            long[] twoGroups = IntStream.range(0, 2 * rows)
                    .mapToLong(i -> StratifiedGroupSplit.hash("b" + i / rows))
                    .toArray();
            Map<String, long[]> groups = Map.of(
                    "one",
                    IntStream.range(0, rows).mapToLong(i -> equalHashes[0]).toArray(),
                    "two",
                    twoGroups);
            StratifiedGroupSplit groupSplit = StratifiedGroupSplit.of(groups, 0.3, 0.3, 3);

            assertTrue(groupSplit.isTraining("one", "a0"));
            assertTrue(groupSplit.isTraining("two", "b0") || groupSplit.isTraining("two", "b1"));
        }
    }

    private static long[] hashes(String prefix, int count) {
        return IntStream.range(0, count)
                .mapToLong(i -> StratifiedGroupSplit.hash(prefix + i))
                .toArray();
    }
}
