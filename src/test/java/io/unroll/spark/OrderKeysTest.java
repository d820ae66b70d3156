package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OrderKeysTest {
    @Test
    void numbersComeBeforeTexts() {
        List<String> sorted = List.of(
                "-1e99",
                "-20",
                "-3.5",
                "-3",
                "0",
                ".5",
                "7",
                "10",
                "999",
                "1000",
                "1700000000123456788",
                "1700000000123456789",
                "2e20",
                "2026-11-01 10:00:00",
                "2026-11-02",
                "9".repeat(310),
                "a",
                "n/a");
        List<String> shuffled = new ArrayList<>(sorted);
        Collections.shuffle(shuffled, new Random(1));
        shuffled.sort(Comparator.comparing(OrderKeys::key));
        assertEquals(sorted, shuffled);
        assertEquals(OrderKeys.key("1.0"), OrderKeys.key(" 1 "));
    }
}
