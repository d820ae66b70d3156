package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.train.Round;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ReplicaPartitionerTest {
    @Test
    void assignsAsInTheDrawingOfTheJavadoc() {
        ReplicaPartitioner partitioner = new ReplicaPartitioner(7, 2, 2);

        assertEquals(2, partitioner.rounds());
        assertArrayEquals(new int[] {0, 0, 2, 2, 1, 1, 3}, partitions(partitioner, 7));
        assertEquals(new Round(0, 3, 0, 2, false, 10, 0), partitioner.round(0, 10, 3));
        assertEquals(new Round(1, 3, 2, 4, true, 12, 0), partitioner.round(1, 10, 3));
    }

    @Test
    void lastRoundMayBeShorterAndAnEpochIsOneRound() {
        assertEquals(1, new ReplicaPartitioner(9, 3, 2).round(1, 0, 0).chunks());
        ReplicaPartitioner epoch = new ReplicaPartitioner(8, 3, Long.MAX_VALUE);
        assertEquals(1, epoch.rounds());
        assertEquals(3, epoch.round(0, 0, 0).chunks());
        assertArrayEquals(new int[] {0, 0, 0, 1, 1, 1, 2, 2}, partitions(epoch, 8));
    }

    private static int[] partitions(ReplicaPartitioner partitioner, int total) {
        return LongStream.range(0, total).mapToInt(partitioner::getPartition).toArray();
    }
}
