package io.unroll.spark;

import io.unroll.train.FloatArray;
import io.unroll.train.Replica;
import io.unroll.train.ReplicaResult;
import io.unroll.train.ReplicaState;
import io.unroll.train.Snapshot;
import io.unroll.train.WeightedMean;
import io.unroll.train.Weights;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;
import scala.collection.BufferedIterator;
import scala.collection.JavaConverters;

/**
 * Trains the replicas of a round on the executors and averages their weights, weighted by tokens. Small weights return
 * to the driver with the results of the tasks and are averaged there, in the order of the replicas. Large ones are
 * shuffled: the first stage trains, and each task of the second stage averages some blocks of the weights. The driver
 * then receives one set of weights, whatever the number of replicas:
 *
 * <pre>
 *   replica 0:  block 0 | block 1 | block 2     |     task 0:  block 0 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 1:  block 0 | block 1 | block 2   shuffle task 1:  block 1 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 2:  block 0 | block 1 | block 2     |     ...
 * </pre>
 *
 * Spark sorts the blocks by replica and spills to disk if they do not fit in memory; an averaging task holds two blocks
 * at a time. Both ways add the same numbers in the same order, so their results are bit-identical. Block 0
 * of a replica also carries the rest of its result: losses, state and times.
 */
final class AveragedRound {
    /** Maximum size of all replicas' weights together that the driver averages; larger ones are shuffled. */
    static final long MAX_COLLECTED_BYTES = 64L << 20;

    private static final int MAX_AVERAGING_TASKS = 200;
    /** A larger replica state is broadcast, not sent with its task: Spark warns above 1000 KiB and fails at 128 MiB. */
    private static final int MAX_STATE_BYTES = 1 << 19;

    private final Session session;
    private final WeightBlocks blocks;
    private final long maxCollectedBytes;

    AveragedRound(Session session, WeightBlocks blocks, long maxCollectedBytes) {
        this.session = session;
        this.blocks = blocks;
        this.maxCollectedBytes = maxCollectedBytes;
    }

    /** @param replicas reports, in the order of the replicas */
    record Result(Weights mean, List<ReplicaReport> replicas) {}

    /** @param startMillis and endMillis by the executor's clock, for display only */
    record ReplicaReport(ReplicaResult result, ExecutorInfo executor, long startMillis, long endMillis)
            implements Serializable {
        static ReplicaReport of(TrainReplica.TaskReport task) {
            return new ReplicaReport(task.update().result(), task.executor(), task.startMillis(), task.endMillis());
        }
    }

    private record BlockKey(int block, int replica) implements Serializable {}

    /**
     * A block of one replica's weights.
     *
     * @param report null except for block 0
     */
    private record ReplicaBlock(FloatArray values, long tokens, TaskResult<ReplicaReport> report)
            implements Serializable {}

    /** @param reports of all replicas; empty except for block 0 */
    private record MeanBlock(int block, FloatArray values, List<TaskResult<ReplicaReport>> reports)
            implements Serializable {}

    /** @return whether the weights of this many replicas are averaged on the driver, without a shuffle */
    boolean averagesOnDriver(int replicas) {
        return Float.BYTES * blocks.total() * replicas <= maxCollectedBytes;
    }

    /** @param snapshot the state before the round */
    Result run(String description, Snapshot snapshot, TrainReplica task) {
        List<Broadcast<ReplicaState>> broadcasts = new ArrayList<>();
        List<TrainReplica.Input> inputs = new ArrayList<>();
        for (ReplicaState state : snapshot.states()) {
            TrainReplica.StateSource source = () -> state;
            if (state.bytes() > MAX_STATE_BYTES) {
                Broadcast<ReplicaState> broadcast = session.broadcast(state);
                broadcasts.add(broadcast);
                source = broadcast::value;
            }
            inputs.add(new TrainReplica.Input(inputs.size(), source));
        }
        Result result = averagesOnDriver(inputs.size())
                ? averageOnDriver(description, inputs, task)
                : averageByShuffle(description, inputs, task);
        broadcasts.forEach(Broadcast::destroy);
        return result;
    }

    private Result averageOnDriver(String description, List<TrainReplica.Input> inputs, TrainReplica task) {
        session.describe(description, "train " + inputs.size() + " replicas");
        List<TrainReplica.TaskReport> replicas = session.map(inputs, task::train);
        WeightedMean parameters = new WeightedMean(blocks.parameters());
        WeightedMean optimizer = new WeightedMean(blocks.optimizer());
        for (TrainReplica.TaskReport replica : replicas) {
            long tokens = replica.update().result().loss().tokens();
            parameters.add(replica.update().weights().parameters(), tokens);
            optimizer.add(replica.update().weights().optimizer(), tokens);
        }
        return new Result(
                new Weights(parameters.value(), optimizer.value()),
                replicas.stream().map(ReplicaReport::of).toList());
    }

    private Result averageByShuffle(String description, List<TrainReplica.Input> inputs, TrainReplica task) {
        int tasks = Math.min(Math.min(blocks.count(), inputs.size()), MAX_AVERAGING_TASKS);
        WeightBlocks layout = blocks;
        session.describe(description, "train " + inputs.size() + " replicas");
        JavaPairRDD<BlockKey, ReplicaBlock> averaging = session.parallelize(inputs)
                .flatMapToPair(input -> train(task, input, layout))
                .repartitionAndSortWithinPartitions(
                        new BlockPartitioner(tasks, blocks.count()),
                        (Comparator<BlockKey> & Serializable) AveragedRound::compare);
        session.describe(description, "average " + blocks.count() + " blocks");
        List<MeanBlock> meanBlocks =
                averaging.mapPartitions(AveragedRound::meanBlocks).collect();
        averaging.rdd().cleanShuffleDependencies(false);
        List<ReplicaReport> replicas =
                meanBlocks.get(0).reports().stream().map(TaskResult::orThrow).toList();
        return new Result(
                blocks.join(
                        meanBlocks.stream().map(mean -> mean.values().values()).toList()),
                replicas);
    }

    private static int compare(BlockKey a, BlockKey b) {
        return a.block != b.block ? Integer.compare(a.block, b.block) : Integer.compare(a.replica, b.replica);
    }

    private static Iterator<Tuple2<BlockKey, ReplicaBlock>> train(
            TrainReplica task, TrainReplica.Input input, WeightBlocks layout) throws Exception {
        TaskResult<TrainReplica.TaskReport> trained = TaskResult.of(() -> task.train(input));
        int replica = input.replica();
        if (trained.problem() != null) {
            // Reported with block 0; the zeros are never used, because the driver throws the problem.
            FloatArray zeros = new FloatArray(new float[layout.length(0)]);
            ReplicaBlock failed = new ReplicaBlock(zeros, 0, trained.asFailure());
            return List.of(new Tuple2<>(new BlockKey(0, replica), failed)).iterator();
        }
        Replica.ReplicaUpdate update = trained.value().update();
        var report = new TaskResult<>(ReplicaReport.of(trained.value()));
        return IntStream.range(0, layout.count())
                .mapToObj(block -> new Tuple2<>(
                        new BlockKey(block, replica),
                        new ReplicaBlock(
                                new FloatArray(layout.block(update.weights(), block)),
                                update.result().loss().tokens(),
                                block == 0 ? report : null)))
                .iterator();
    }

    /** @param replicaBlocks sorted by block, then by replica */
    private static Iterator<MeanBlock> meanBlocks(Iterator<Tuple2<BlockKey, ReplicaBlock>> replicaBlocks) {
        List<MeanBlock> meanBlocks = new ArrayList<>();
        BufferedIterator<Tuple2<BlockKey, ReplicaBlock>> sorted =
                JavaConverters.asScalaIterator(replicaBlocks).buffered();
        while (sorted.hasNext()) {
            meanBlocks.add(mean(sorted));
        }
        return meanBlocks.iterator();
    }

    private static MeanBlock mean(BufferedIterator<Tuple2<BlockKey, ReplicaBlock>> sorted) {
        int block = sorted.head()._1().block();
        WeightedMean mean = new WeightedMean(sorted.head()._2().values().values().length);
        List<TaskResult<ReplicaReport>> reports = new ArrayList<>();
        while (sorted.hasNext() && sorted.head()._1().block() == block) {
            ReplicaBlock replicaBlock = sorted.next()._2();
            mean.add(replicaBlock.values().values(), replicaBlock.tokens());
            if (block == 0) {
                reports.add(replicaBlock.report());
            }
        }
        return new MeanBlock(block, new FloatArray(mean.value()), reports);
    }

    private static final class BlockPartitioner extends Partitioner {
        private static final long serialVersionUID = 1;

        private final int tasks;
        private final int blocks;

        BlockPartitioner(int tasks, int blocks) {
            this.tasks = tasks;
            this.blocks = blocks;
        }

        @Override
        public int numPartitions() {
            return tasks;
        }

        /** Each task gets consecutive blocks, so the means are collected in the order of the blocks. */
        @Override
        public int getPartition(Object key) {
            return (int) ((long) ((BlockKey) key).block() * tasks / blocks);
        }
    }
}
