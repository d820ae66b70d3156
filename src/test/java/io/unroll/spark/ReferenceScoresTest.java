package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReferenceScoresTest {
    private static List<Integer> sizes(int tokens, int... lengths) {
        List<int[]> rows = IntStream.of(lengths).mapToObj(int[]::new).toList();
        List<List<int[]>> slices = ReferenceScores.slices(rows, tokens);
        assertEquals(rows, slices.stream().flatMap(List::stream).toList());
        return slices.stream().map(List::size).toList();
    }

    @Test
    void slicesEndAtTheRowThatFillsThem() {
        assertEquals(List.of(2, 1, 3), sizes(10, 4, 6, 30, 0, 9, 0));
        assertEquals(List.of(1), sizes(10, 3));
        assertEquals(List.of(), sizes(10));
    }
}
