package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ReplicaPartitionerTest {
    @Test
    void assignsAsInTheDrawingOfTheJavadoc() {
        ReplicaPartitioner partitioner = new ReplicaPartitioner(7, 2, 2);

        assertEquals(2, partitioner.rounds());
        assertArrayEquals(new int[] {0, 0, 2, 2, 1, 1, 3}, partitions(partitioner, 7));
        assertArrayEquals(new int[] {2, 3}, partitioner.partitions(1));
        assertEquals(1, partitioner.replica(3));
        assertEquals(2, partitioner.chunks(0));
    }

    @Test
    void lastRoundMayBeShorterAndAnEpochIsOneRound() {
        assertEquals(1, new ReplicaPartitioner(9, 3, 2).chunks(1));
        ReplicaPartitioner epoch = new ReplicaPartitioner(8, 3, Long.MAX_VALUE);
        assertEquals(1, epoch.rounds());
        assertEquals(3, epoch.chunks(0));
        assertArrayEquals(new int[] {0, 0, 0, 1, 1, 1, 2, 2}, partitions(epoch, 8));
    }

    private static int[] partitions(ReplicaPartitioner partitioner, int total) {
        return LongStream.range(0, total).mapToInt(partitioner::getPartition).toArray();
    }
}
