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
 * A round on the workers. A first stage trains; a second one averages, each task some blocks of the weights, so that
 * the driver gets one set of weights, however many replicas there are:
 *
 * <pre>
 *   replica 0:  block 0 | block 1 | block 2     |     task 0:  block 0 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 1:  block 0 | block 1 | block 2   shuffle task 1:  block 1 of replica 0, 1, 2, ... -> mean -> driver
 *   replica 2:  block 0 | block 1 | block 2     |     ...
 * </pre>
 *
 * Spark's sort brings the blocks in the order of the replicas, spilling what does not fit: sums are the same bits on
 * any cluster, and a task holds two blocks at a time. What else a replica gives back rides on its block 0.
 */
final class AveragedRound {
    private static final int MOST_TASKS = 200;

    private final Session session;
    private final WeightBlocks blocks;

    AveragedRound(Session session, WeightBlocks blocks) {
        this.session = session;
        this.blocks = blocks;
    }

    /** @param replicas in their order, each with the worker's clock at its start and end */
    record Result(Weights mean, List<Replica> replicas) {}

    record Replica(ReplicaResult result, Worker worker, long startMillis, long endMillis) implements Serializable {}

    private record Key(int block, int replica) implements Serializable {}

    /** @param report null but for block 0 */
    private record Piece(FloatArray values, long tokens, Outcome<Replica> report) implements Serializable {}

    private record Mean(int block, FloatArray values, List<Outcome<Replica>> reports) implements Serializable {}

    Result run(String description, Snapshot snapshot, TrainReplica task) {
        List<Broadcast<ReplicaState>> states =
                snapshot.states().stream().map(session::broadcast).toList();
        List<TrainReplica.Input> inputs = IntStream.range(0, states.size())
                .mapToObj(replica -> new TrainReplica.Input(replica, states.get(replica)))
                .toList();
        int tasks = Math.min(Math.min(blocks.count(), inputs.size()), MOST_TASKS);
        WeightBlocks layout = blocks;
        session.name(description, "train " + inputs.size() + " replicas");
        JavaPairRDD<Key, Piece> averaging = session.parallelize(inputs)
                .flatMapToPair(input -> train(task, input, layout))
                .repartitionAndSortWithinPartitions(
                        new ByBlock(tasks, blocks.count()), (Comparator<Key> & Serializable) AveragedRound::compare);
        session.name(description, "average " + blocks.count() + " blocks");
        List<Mean> means = averaging.mapPartitions(AveragedRound::means).collect();
        averaging.rdd().cleanShuffleDependencies(false);
        states.forEach(Broadcast::destroy);
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
        var report = new Outcome<>(new Replica(result, trained.worker(), trained.startMillis(), trained.endMillis()));
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
