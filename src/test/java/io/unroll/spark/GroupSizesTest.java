package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GroupSizesTest {
    private static final int MANY = 20_000;

    private final long[] expected = new long[1 << 16];

    /** Few buckets are counted in another way than many. */
    @ParameterizedTest
    @CsvSource({"10, 20", "10, 20000", "20000, 10", "20000, 20000", "4000, 4000"})
    void sumsAreThoseOfAllRows(int first, int second) {
        GroupSizes sum = sizes(first, 1);
        sum.add(sizes(second, 2));
        sum.forEach((stratum, rows) -> assertArrayEquals(expected, rows));
        assertEquals(first + second, sum.rows().sum());
    }

    @Test
    void strataAreCountedSeparately() {
        GroupSizes sum = sizes(MANY, 1);
        sum.add("other", -1);
        assertArrayEquals(new long[] {MANY, 1}, sum.rows().toArray());
    }

    private GroupSizes sizes(int rows, long seed) {
        GroupSizes sizes = new GroupSizes();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < rows; i++) {
            long hash = random.nextLong();
            expected[(int) (hash >>> 48)]++;
            sizes.add("a", hash);
        }
        return sizes;
    }
}
