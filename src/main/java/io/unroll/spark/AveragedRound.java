package io.unroll.spark;

import io.unroll.model.FloatArray;
import io.unroll.model.Loss;
import io.unroll.train.Replica;
import io.unroll.train.ReplicaResult;
import io.unroll.train.ReplicaState;
import io.unroll.train.WeightedMean;
import io.unroll.train.Weights;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.Partitioner;
import org.apache.spark.SerializableWritable;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;
import scala.Tuple2;

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
public final class AveragedRound {
    /** Maximum size of all replicas' weights together that the driver averages; larger ones are shuffled. */
    public static final long MAX_COLLECTED_BYTES = 64L << 20;

    private static final int MAX_AVERAGING_TASKS = 200;
    /** A larger replica state is broadcast, not sent with its task: Spark warns above 1000 KiB and fails at 128 MiB. */
    private static final int MAX_STATE_BYTES = 1 << 19;

    private final Session session;
    private final WeightBlocks blocks;
    private final long maxCollectedBytes;

    /**
     * @param parameters number of parameters
     * @param optimizer number of optimizer state values to average; 0 if the optimizer state is not averaged
     * @param maxCollectedBytes usually {@link #MAX_COLLECTED_BYTES}
     */
    public AveragedRound(Session session, int parameters, int optimizer, long maxCollectedBytes) {
        this.session = session;
        this.blocks = new WeightBlocks(parameters, optimizer);
        this.maxCollectedBytes = maxCollectedBytes;
    }

    /**
     * The result of a round.
     *
     * @param mean mean of the replicas' weights
     * @param replicas reports, in the order of the replicas
     */
    public record Result(Weights mean, List<ReplicaReport> replicas) {
        public List<ReplicaResult> results() {
            return replicas.stream().map(ReplicaReport::result).toList();
        }

        public List<ReplicaState> states() {
            return results().stream().map(ReplicaResult::state).toList();
        }

        /** @return the loss of the round, over all replicas */
        public Loss loss() {
            return results().stream().map(ReplicaResult::loss).reduce(Loss.ZERO, Loss::plus);
        }
    }

    /** @param startMillis and endMillis by the executor's clock, for display only */
    record ReplicaReport(ReplicaResult result, ExecutorInfo executor, long startMillis, long endMillis)
            implements Serializable {}

    private record TrainedReplica(Weights weights, ReplicaReport report) implements Serializable {
        long tokens() {
            return report.result().loss().tokens();
        }
    }

    /**
     * A block of one replica's weights.
     *
     * @param values null if the replica failed
     * @param report null except for block 0
     */
    private record ReplicaBlock(FloatArray values, long tokens, TaskResult<ReplicaReport> report)
            implements Serializable {}

    /** @param reports of all replicas; empty except for block 0 */
    private record MeanBlock(FloatArray values, List<ReplicaReport> reports) implements Serializable {}

    /** @return size of one replica's averaged weights */
    long weightBytes() {
        return Float.BYTES * blocks.total();
    }

    /** @return whether the weights of this many replicas are averaged on the driver, without a shuffle */
    boolean averagesOnDriver(int replicas) {
        return weightBytes() * replicas <= maxCollectedBytes;
    }

    /**
     * @param start weights at the start of the round, the same for all replicas; destroyed after the round
     * @param states of the replicas, after the previous round
     * @param inputs adds to each replica's input what else its task needs; does not change their number or order
     */
    public <I> Result run(
            String description,
            Broadcast<Weights> start,
            List<ReplicaState> states,
            Function<JavaRDD<ReplicaTask.Input>, JavaRDD<I>> inputs,
            ReplicaTask<I> task) {
        List<Broadcast<?>> broadcasts = new ArrayList<>(List.of(start));
        List<ReplicaTask.Input> replicas = new ArrayList<>();
        for (ReplicaState state : states) {
            ReplicaTask.StateSource source = () -> state;
            if (state.bytes() > MAX_STATE_BYTES) {
                Broadcast<ReplicaState> broadcast = session.broadcast(state);
                broadcasts.add(broadcast);
                source = broadcast::value;
            }
            replicas.add(new ReplicaTask.Input(replicas.size(), source));
        }
        var train = new TrainFunction<>(task, start, session.counter("tokens"));
        Result result = session.describe(description, "train " + states.size() + " replicas", () -> {
            JavaRDD<I> tasks = inputs.apply(session.parallelize(replicas));
            return averagesOnDriver(states.size())
                    ? averageOnDriver(tasks, train)
                    : averageByShuffle(description, tasks, train);
        });
        broadcasts.forEach(Broadcast::destroy);
        return result;
    }

    private record TrainFunction<I>(ReplicaTask<I> task, Broadcast<Weights> start, LongAccumulator tokens)
            implements Serializable {
        TrainedReplica call(I input) throws IOException {
            long startMillis = System.currentTimeMillis();
            Replica.ReplicaUpdate update = task.train(input, start);
            tokens.add(update.result().loss().tokens());
            ExecutorInfo executor = new ExecutorInfo(ExecutorInfo.thisHost(), task.bfloat16());
            return new TrainedReplica(
                    update.weights(),
                    new ReplicaReport(update.result(), executor, startMillis, System.currentTimeMillis()));
        }
    }

    private <I> Result averageOnDriver(JavaRDD<I> tasks, TrainFunction<I> train) {
        List<TrainedReplica> replicas = session.mapPartitions(tasks, input -> train.call(input.next()));
        WeightedMean parameters = new WeightedMean(blocks.parameters());
        WeightedMean optimizer = new WeightedMean(blocks.optimizer());
        for (TrainedReplica replica : replicas) {
            parameters.add(replica.weights().parameters(), replica.tokens());
            optimizer.add(replica.weights().optimizer(), replica.tokens());
        }
        return new Result(
                new Weights(parameters.value(), optimizer.value()),
                replicas.stream().map(TrainedReplica::report).toList());
    }

    private <I> Result averageByShuffle(String description, JavaRDD<I> tasks, TrainFunction<I> train) {
        int averagingTasks = Math.min(Math.min(blocks.count(), tasks.getNumPartitions()), MAX_AVERAGING_TASKS);
        WeightBlocks layout = blocks;
        JavaPairRDD<Long, SerializableWritable<?>> trained = tasks.flatMapToPair(input -> blocks(train, input, layout))
                .repartitionAndSortWithinPartitions(new BlockPartitioner(averagingTasks, blocks.count()));
        List<MeanBlock> meanBlocks = session
                .describe(
                        description,
                        "average " + blocks.count() + " blocks",
                        () -> session.mapPartitions(
                                JavaRDD.fromRDD(trained.rdd(), trained.classTag()),
                                replicaBlocks -> meanBlocks(replicaBlocks, layout)))
                .stream()
                .flatMap(List::stream)
                .toList();
        trained.rdd().cleanShuffleDependencies(false);
        return new Result(
                blocks.join(
                        meanBlocks.stream().map(mean -> mean.values().values()).toList()),
                meanBlocks.get(0).reports());
    }

    /** @return pairs whose keys sort by block, then by replica */
    private static <I> Iterator<Tuple2<Long, SerializableWritable<?>>> blocks(
            TrainFunction<I> train, I input, WeightBlocks layout) throws Exception {
        int replica = TaskContext.getPartitionId();
        TaskResult<TrainedReplica> result = TaskResult.of(() -> train.call(input));
        if (result.problem() != null) {
            return List.of(pair(0, replica, new ReplicaBlock(null, 0, result.asFailure())))
                    .iterator();
        }
        TrainedReplica trained = result.value();
        var report = new TaskResult<>(trained.report());
        return IntStream.range(0, layout.count())
                .mapToObj(block -> pair(
                        block,
                        replica,
                        new ReplicaBlock(
                                new FloatArray(layout.block(trained.weights(), block)),
                                trained.tokens(),
                                block == 0 ? report : null)))
                .iterator();
    }

    private static Tuple2<Long, SerializableWritable<?>> pair(int block, int replica, ReplicaBlock value) {
        return new Tuple2<>((long) block << Integer.SIZE | replica, JavaSerialized.of(value));
    }

    private static int block(long key) {
        return (int) (key >> Integer.SIZE);
    }

    /** @param replicaBlocks sorted by block, then by replica */
    private static List<MeanBlock> meanBlocks(
            Iterator<Tuple2<Long, SerializableWritable<?>>> replicaBlocks, WeightBlocks layout) {
        List<MeanBlock> meanBlocks = new ArrayList<>();
        var sorted = PeekingIterator.peekingIterator(replicaBlocks);
        while (sorted.hasNext()) {
            int block = block(sorted.peek()._1());
            WeightedMean mean = new WeightedMean(layout.length(block));
            List<ReplicaReport> reports = new ArrayList<>();
            while (sorted.hasNext() && block(sorted.peek()._1()) == block) {
                var replicaBlock =
                        (ReplicaBlock) JavaSerialized.value(sorted.next()._2());
                if (block == 0) {
                    reports.add(replicaBlock.report().orThrow());
                }
                mean.add(replicaBlock.values().values(), replicaBlock.tokens());
            }
            meanBlocks.add(new MeanBlock(new FloatArray(mean.value()), reports));
        }
        return meanBlocks;
    }

    private static final class BlockPartitioner extends Partitioner {
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
            return (int) ((long) block((Long) key) * tasks / blocks);
        }
    }
}
