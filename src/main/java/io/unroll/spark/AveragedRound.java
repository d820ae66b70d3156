package io.unroll.spark;

import io.unroll.train.FloatArray;
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
 * A round on the workers. If the replicas' weights are small, the tasks' results bring them to the driver, which averages
 * them in the order of the replicas. Otherwise a first stage trains, and a second one averages, each task some blocks of the
 * weights, so that the driver gets one set of weights, however many replicas there are:
 *
 * <pre>
 *   replica 0:  block 0 | block 1 | block 2     |     task 0:  block 0 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 1:  block 0 | block 1 | block 2   shuffle task 1:  block 1 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 2:  block 0 | block 1 | block 2     |     ...
 * </pre>
 *
 * Spark's sort brings the blocks in the order of the replicas, spilling what does not fit, and a task holds two blocks at a
 * time. Both ways sum the same numbers in the same order: the same bits on any cluster. What else a replica returns is with
 * its block 0.
 */
final class AveragedRound {
    /** Of all replicas' weights that come to the driver. */
    static final long MAX_COLLECTED_BYTES = 64L << 20;

    private static final int MAX_AVERAGING_TASKS = 200;
    /** A larger state does not travel with its task but by a broadcast: Spark cannot send tasks of more than 128 MiB. */
    private static final int MAX_STATE_BYTES = 1 << 19;

    private final Session session;
    private final WeightBlocks blocks;
    private final long maxCollectedBytes;

    AveragedRound(Session session, WeightBlocks blocks, long maxCollectedBytes) {
        this.session = session;
        this.blocks = blocks;
        this.maxCollectedBytes = maxCollectedBytes;
    }

    /** @param replicas in their order, each with the worker's clock at its start and end */
    record Result(Weights mean, List<Replica> replicas) {}

    record Replica(ReplicaResult result, Worker worker, long startMillis, long endMillis) implements Serializable {
        static Replica of(TrainReplica.Trained trained) {
            return new Replica(
                    trained.trained().result(), trained.worker(), trained.startMillis(), trained.endMillis());
        }
    }

    private record Key(int block, int replica) implements Serializable {}

    /** @param report null but for block 0 */
    private record Piece(FloatArray values, long tokens, Outcome<Replica> report) implements Serializable {}

    private record Mean(int block, FloatArray values, List<Outcome<Replica>> reports) implements Serializable {}

    /** @return whether the weights of so many replicas come to the driver, not through a shuffle */
    boolean collects(int replicas) {
        return Float.BYTES * blocks.total() * replicas <= maxCollectedBytes;
    }

    Result run(String description, Snapshot snapshot, TrainReplica task) {
        List<Broadcast<ReplicaState>> broadcasts = new ArrayList<>();
        List<TrainReplica.Input> inputs = new ArrayList<>();
        for (ReplicaState state : snapshot.states()) {
            TrainReplica.State source = () -> state;
            if (state.bytes() > MAX_STATE_BYTES) {
                Broadcast<ReplicaState> broadcast = session.broadcast(state);
                broadcasts.add(broadcast);
                source = broadcast::value;
            }
            inputs.add(new TrainReplica.Input(inputs.size(), source));
        }
        Result result =
                collects(inputs.size()) ? collected(description, inputs, task) : shuffled(description, inputs, task);
        broadcasts.forEach(Broadcast::destroy);
        return result;
    }

    private Result collected(String description, List<TrainReplica.Input> inputs, TrainReplica task) {
        session.name(description, "train " + inputs.size() + " replicas");
        List<TrainReplica.Trained> replicas = session.map(inputs, task::train);
        WeightedMean parameters = new WeightedMean(blocks.parameters());
        WeightedMean optimizer = new WeightedMean(blocks.optimizer());
        for (TrainReplica.Trained replica : replicas) {
            long tokens = replica.trained().result().loss().tokens();
            parameters.add(replica.trained().weights().parameters(), tokens);
            optimizer.add(replica.trained().weights().optimizer(), tokens);
        }
        return new Result(
                new Weights(parameters.value(), optimizer.value()),
                replicas.stream().map(Replica::of).toList());
    }

    private Result shuffled(String description, List<TrainReplica.Input> inputs, TrainReplica task) {
        int tasks = Math.min(Math.min(blocks.count(), inputs.size()), MAX_AVERAGING_TASKS);
        WeightBlocks layout = blocks;
        session.name(description, "train " + inputs.size() + " replicas");
        JavaPairRDD<Key, Piece> averaging = session.parallelize(inputs)
                .flatMapToPair(input -> train(task, input, layout))
                .repartitionAndSortWithinPartitions(
                        new ByBlock(tasks, blocks.count()), (Comparator<Key> & Serializable) AveragedRound::compare);
        session.name(description, "average " + blocks.count() + " blocks");
        List<Mean> means = averaging.mapPartitions(AveragedRound::means).collect();
        averaging.rdd().cleanShuffleDependencies(false);
        List<Replica> replicas =
                means.get(0).reports().stream().map(Outcome::orThrow).toList();
        return new Result(
                blocks.join(means.stream().map(mean -> mean.values().values()).toList()), replicas);
    }

    private static int compare(Key a, Key b) {
        return a.block != b.block ? Integer.compare(a.block, b.block) : Integer.compare(a.replica, b.replica);
    }

    private static Iterator<Tuple2<Key, Piece>> train(TrainReplica task, TrainReplica.Input input, WeightBlocks layout)
            throws Exception {
        Outcome<TrainReplica.Trained> outcome = Outcome.of(() -> task.train(input));
        int replica = input.replica();
        if (outcome.problem() != null) {
            Piece failed = new Piece(new FloatArray(new float[layout.length(0)]), 0, outcome.failed());
            return List.of(new Tuple2<>(new Key(0, replica), failed)).iterator();
        }
        TrainReplica.Trained trained = outcome.value();
        ReplicaResult result = trained.trained().result();
        var report = new Outcome<>(Replica.of(trained));
        return IntStream.range(0, layout.count())
                .mapToObj(block -> new Tuple2<>(
                        new Key(block, replica),
                        new Piece(
                                new FloatArray(layout.cut(trained.trained().weights(), block)),
                                result.loss().tokens(),
                                block == 0 ? report : null)))
                .iterator();
    }

    /** @param pieces by block, and within each block by replica */
    private static Iterator<Mean> means(Iterator<Tuple2<Key, Piece>> pieces) {
        List<Mean> means = new ArrayList<>();
        BufferedIterator<Tuple2<Key, Piece>> next =
                JavaConverters.asScalaIterator(pieces).buffered();
        while (next.hasNext()) {
            means.add(mean(next));
        }
        return means.iterator();
    }

    private static Mean mean(BufferedIterator<Tuple2<Key, Piece>> next) {
        int block = next.head()._1().block();
        WeightedMean mean = new WeightedMean(next.head()._2().values().values().length);
        List<Outcome<Replica>> reports = new ArrayList<>();
        while (next.hasNext() && next.head()._1().block() == block) {
            Piece piece = next.next()._2();
            mean.add(piece.values().values(), piece.tokens());
            if (block == 0) {
                reports.add(piece.report());
            }
        }
        return new Mean(block, new FloatArray(mean.value()), reports);
    }

    private static final class ByBlock extends Partitioner {
        private static final long serialVersionUID = 1;

        private final int tasks;
        private final int blocks;

        ByBlock(int tasks, int blocks) {
            this.tasks = tasks;
            this.blocks = blocks;
        }

        @Override
        public int numPartitions() {
            return tasks;
        }

        /** Neighbours go to one task, so the means come back in order. */
        @Override
        public int getPartition(Object key) {
            return (int) ((long) ((Key) key).block() * tasks / blocks);
        }
    }
}
