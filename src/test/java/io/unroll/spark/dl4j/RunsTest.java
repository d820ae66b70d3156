package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RunsTest {
    @Test
    void theDrawingIsRight() {
        Runs runs = new Runs(7, 2, 2);

        assertEquals(2, runs.rounds());
        assertArrayEquals(new int[] {0, 0, 2, 2, 1, 1, 3}, partitions(runs, 7));
        assertArrayEquals(new int[] {2, 3}, runs.partitions(1));
        assertEquals(1, runs.replica(3));
        assertEquals(2, runs.chunks(0));
    }

    @Test
    void aRoundIsShorterAtTheEndAndAnEpochIsOneRound() {
        assertEquals(1, new Runs(9, 3, 2).chunks(1));
        Runs epoch = new Runs(8, 3, Long.MAX_VALUE);
        assertEquals(1, epoch.rounds());
        assertEquals(3, epoch.chunks(0));
        assertArrayEquals(new int[] {0, 0, 0, 1, 1, 1, 2, 2}, partitions(epoch, 8));
    }

    private static int[] partitions(Runs runs, int total) {
        return LongStream.range(0, total).mapToInt(runs::getPartition).toArray();
    }
}
