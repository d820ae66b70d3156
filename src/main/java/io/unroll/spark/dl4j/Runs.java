package io.unroll.spark.dl4j;

import java.util.stream.IntStream;
import org.apache.spark.Partitioner;

/**
 * Which DataSet, by its place in the RDD, is trained by which replica in which round. For 7 DataSets, 2 replicas, and
 * a mean every 2 chunks:
 *
 * <pre>
 *   DataSets    0  1  2  3 | 4  5  6
 *   replica     0  0  0  0 | 1  1  1
 *   round       0  0  1  1 | 0  0  1
 *   partition   0  0  2  2 | 1  1  3       (round x replicas + replica)
 * </pre>
 */
final class Runs extends Partitioner {
    private static final long serialVersionUID = 1;

    private final long total;
    private final int replicas;
    private final long every;

    /** @param every chunks of each replica in a round */
    Runs(long total, int replicas, long every) {
        this.total = total;
        this.replicas = replicas;
        this.every = Math.min(every, chunks());
    }

    /** @return of the replica that has most */
    long chunks() {
        return (total + replicas - 1) / replicas;
    }

    int rounds() {
        return Math.toIntExact((chunks() + every - 1) / every);
    }

    int[] partitions(int round) {
        return IntStream.range(0, replicas).map(i -> round * replicas + i).toArray();
    }

    int replica(int partition) {
        return partition % replicas;
    }

    /** The first {@code total % replicas} have one more. */
    long start(int replica) {
        return replica * (total / replicas) + Math.min(replica, total % replicas);
    }

    /** @return the first chunk of a round, counted in each replica */
    long firstChunk(int round) {
        return round * every;
    }

    /** @return chunks of the longest replica in that round */
    int chunks(int round) {
        return Math.toIntExact(Math.min(every, chunks() - firstChunk(round)));
    }

    @Override
    public int numPartitions() {
        return Math.multiplyExact(rounds(), replicas);
    }

    @Override
    public int getPartition(Object key) {
        long place = (Long) key;
        long longer = total % replicas;
        long size = total / replicas;
        long inLonger = longer * (size + 1);
        int replica = (int) (place < inLonger ? place / (size + 1) : longer + (place - inLonger) / size);
        return (int) ((place - start(replica)) / every) * replicas + replica;
    }
}
