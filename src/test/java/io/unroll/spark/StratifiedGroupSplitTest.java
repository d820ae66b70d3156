package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.SequenceIndex.Section;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StratifiedGroupSplitTest {
    @Test
    void splitsEachStratumInTheSameProportions() {
        Map<String, long[]> groups = Map.of("many", hashes("many", 1000), "few", hashes("f", 20));
        StratifiedGroupSplit split = split(groups, 0.2, 0.1);

        assertEquals(List.of(700L, 200L, 100L), sizes(split, "many", groups.get("many")));
        assertEquals(List.of(14L, 4L, 2L), sizes(split, "few", groups.get("few")));
    }

    @Test
    void keepsEqualRowsInOneSplit() {
        long[] rows = IntStream.range(0, 1000)
                .mapToLong(i -> RowHash.of("r" + i % 10))
                .toArray();
        for (long size : sizes(split(Map.of("", rows), 0.25, 0.25), "", rows)) {
            assertTrue(size > 0 && size % 100 == 0, "a group was divided: " + size);
        }
    }

    /** For example, the captions of one image, or the targets of one source. */
    @Test
    void assignsGroupsLargerThanTheirShareToTraining() {
        for (int large = 0; large < 50; large++) {
            int first = large * 1000;
            long[] rows = IntStream.range(0, 1000)
                    .mapToLong(i -> RowHash.of("r" + (first + Math.max(400, i))))
                    .toArray();
            StratifiedGroupSplit split = split(Map.of("", rows), 0.1, 0.1);

            assertEquals(Section.TRAINING, split.section("", RowHash.of("r" + (first + 400))));
            assertEquals(List.of(800L, 100L, 100L), sizes(split, "", rows));
        }
    }

    @Test
    void assignsGroupsTooLargeForTestToValidation() {
        long[] rows = IntStream.range(0, 1000)
                .mapToLong(i -> RowHash.of("r" + i / 20))
                .toArray();
        List<Long> sizes = sizes(split(Map.of("", rows), 0.2, 0.01), "", rows);

        assertEquals(0, sizes.get(2));
        assertEquals(200, sizes.get(1));
    }

    @Test
    void assignsAGroupOfEachStratumToTraining() {
        for (int copies = 1; copies < 50; copies++) {
            int rows = copies;
            long[] one = LongStream.generate(() -> RowHash.of("a0")).limit(rows).toArray();
            long[] two = IntStream.range(0, 2 * rows)
                    .mapToLong(i -> RowHash.of("b" + i / rows))
                    .toArray();
            StratifiedGroupSplit split = split(Map.of("one", one, "two", two), 0.3, 0.3);

            assertEquals(rows, sizes(split, "one", one).get(0));
            assertTrue(sizes(split, "two", two).get(0) >= rows);
        }
    }

    private static StratifiedGroupSplit split(Map<String, long[]> groups, double validation, double test) {
        GroupSizes sizes = new GroupSizes();
        groups.forEach((stratum, rows) -> LongStream.of(rows).forEach(row -> sizes.add(stratum, row)));
        return new StratifiedGroupSplit(sizes, validation, test);
    }

    /** @return the number of rows in training, validation and test */
    private static List<Long> sizes(StratifiedGroupSplit split, String stratum, long[] rows) {
        Map<Section, Long> sizes = new EnumMap<>(Section.class);
        LongStream.of(rows).forEach(row -> sizes.merge(split.section(stratum, row), 1L, Long::sum));
        return Stream.of(Section.TRAINING, Section.VALIDATION, Section.TEST)
                .map(section -> sizes.getOrDefault(section, 0L))
                .toList();
    }

    private static long[] hashes(String prefix, int count) {
        return IntStream.range(0, count).mapToLong(i -> RowHash.of(prefix + i)).toArray();
    }
}
