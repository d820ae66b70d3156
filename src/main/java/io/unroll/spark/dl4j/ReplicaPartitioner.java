package io.unroll.spark.dl4j;

import io.unroll.train.Round;
import org.apache.spark.Partitioner;

/**
 * Assigns each DataSet, by its index in the RDD, to a replica and a round. For 7 DataSets, 2 replicas, and averaging
 * every 2 chunks:
 *
 * <pre>
 *   DataSets    0  1  2  3 | 4  5  6
 *   replica     0  0  0  0 | 1  1  1
 *   round       0  0  1  1 | 0  0  1
 *   partition   0  0  2  2 | 1  1  3       (round x replicas + replica)
 * </pre>
 */
final class ReplicaPartitioner extends Partitioner {
    private final long total;
    private final int replicas;
    private final long chunksPerRound;

    /** @param chunksPerRound maximum number of chunks per replica and round */
    ReplicaPartitioner(long total, int replicas, long chunksPerRound) {
        this.total = total;
        this.replicas = replicas;
        this.chunksPerRound = Math.min(chunksPerRound, chunks());
    }

    /** @return the number of chunks of the longest replica */
    long chunks() {
        return (total + replicas - 1) / replicas;
    }

    int rounds() {
        return Math.toIntExact((chunks() + chunksPerRound - 1) / chunksPerRound);
    }

    /** @return the first DataSet of a replica; the first {@code total % replicas} replicas have one DataSet more */
    long start(int replica) {
        return replica * (total / replicas) + Math.min(replica, total % replicas);
    }

    /**
     * @param iteration steps that the network was trained for before the first round
     * @param epoch epochs that the network was trained for
     */
    Round round(int number, int iteration, int epoch) {
        int start = Math.toIntExact(number * chunksPerRound);
        int end = Math.toIntExact(Math.min(start + chunksPerRound, chunks()));
        return new Round(number, epoch, start, end, end == chunks(), iteration + start, 0);
    }

    @Override
    public int numPartitions() {
        return Math.multiplyExact(rounds(), replicas);
    }

    @Override
    public int getPartition(Object key) {
        long index = (Long) key;
        long longerReplicas = total % replicas;
        long size = total / replicas;
        long inLonger = longerReplicas * (size + 1);
        int replica = (int) (index < inLonger ? index / (size + 1) : longerReplicas + (index - inLonger) / size);
        return (int) ((index - start(replica)) / chunksPerRound) * replicas + replica;
    }
}
