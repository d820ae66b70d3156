package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.train.WeightedMean;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.ObjDoubleConsumer;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import scala.Tuple2;

/**
 * One call of {@code fit}. Shuffles the DataSets once, by {@link ReplicaPartitioner}, to the executors' disks. Each
 * round is a job on the partitions of that round; the driver averages the replicas' weights, in the order of the
 * replicas.
 */
final class DistributedFit {
    private final JavaSparkContext context;
    private final UnrollTrainingMaster.Settings settings;
    private final UserNetwork network;

    DistributedFit(JavaSparkContext context, UnrollTrainingMaster.Settings settings, UserNetwork network) {
        this.context = context;
        this.settings = settings;
        this.network = network;
    }

    /** @param afterRound receives the averaged weights and the mean score of a round */
    <T> void run(JavaRDD<T> data, Function<T, MultiDataSet> convert, ObjDoubleConsumer<RoundStart> afterRound) {
        boolean persisted = !data.getStorageLevel().equals(StorageLevel.NONE());
        // The RDD is read twice; recomputed, it might return its DataSets in another order.
        JavaRDD<T> stable = persisted ? data : data.persist(StorageLevel.DISK_ONLY());
        try {
            train(stable, convert, afterRound);
        } finally {
            context.setJobDescription(null);
            if (!persisted) {
                stable.unpersist();
            }
        }
    }

    private <T> void train(
            JavaRDD<T> data, Function<T, MultiDataSet> convert, ObjDoubleConsumer<RoundStart> afterRound) {
        long[] starts = starts(data);
        ReplicaPartitioner partitioner =
                new ReplicaPartitioner(starts[starts.length - 1], settings.replicas(), settings.averagingEvery());
        JavaPairRDD<Long, Chunk> chunks = JavaPairRDD.fromJavaRDD(data.mapPartitionsWithIndex(
                        (partition, elements) -> indexed(starts[partition], elements, convert), true))
                .repartitionAndSortWithinPartitions(partitioner);
        RoundStart start = new RoundStart(
                network.configuration().toJson(),
                network.parameters(),
                network.updaterState(),
                network.iteration(),
                network.epoch(),
                0);
        List<CarriedState> states = Collections.nCopies(settings.replicas(), CarriedState.ZERO);
        for (int round = 0; round < partitioner.rounds(); round++) {
            context.setJobDescription("round " + (round + 1) + " of " + partitioner.rounds());
            List<ReplicaOutcome> outcomes = trainRound(partitioner, round, chunks, start, states);
            start = mean(outcomes, start, partitioner.chunks(round));
            states = outcomes.stream().map(outcome -> outcome.state).toList();
            double scores =
                    outcomes.stream().mapToDouble(outcome -> outcome.scores).sum();
            long tokens = outcomes.stream().mapToLong(outcome -> outcome.tokens).sum();
            afterRound.accept(start, scores / tokens);
        }
        chunks.rdd().cleanShuffleDependencies(false);
    }

    /** @return the index of each partition's first DataSet, then the total number of DataSets */
    private <T> long[] starts(JavaRDD<T> data) {
        context.setJobDescription("count DataSets");
        List<Long> counts = data.mapPartitions(DistributedFit::count).collect();
        long[] starts = new long[counts.size() + 1];
        for (int i = 0; i < counts.size(); i++) {
            starts[i + 1] = starts[i] + counts.get(i);
        }
        long total = starts[counts.size()];
        if (total < settings.replicas()) {
            throw new ConfigurationException("there are " + total + " DataSets for " + settings.replicas()
                    + " replicas, and each replica needs at least one: lower replicas, or split the data into more"
                    + " DataSets.");
        }
        return starts;
    }

    private static <T> Iterator<Long> count(Iterator<T> elements) {
        long count = 0;
        while (elements.hasNext()) {
            elements.next();
            count++;
        }
        return List.of(count).iterator();
    }

    private static <T> Iterator<Tuple2<Long, Chunk>> indexed(
            long start, Iterator<T> elements, Function<T, MultiDataSet> convert) {
        return new Iterator<>() {
            private long index = start;

            @Override
            public boolean hasNext() {
                return elements.hasNext();
            }

            @Override
            public Tuple2<Long, Chunk> next() {
                return new Tuple2<>(index++, Chunk.of(elements.next(), convert));
            }
        };
    }

    private List<ReplicaOutcome> trainRound(
            ReplicaPartitioner partitioner,
            int round,
            JavaPairRDD<Long, Chunk> chunks,
            RoundStart start,
            List<CarriedState> states) {
        Broadcast<RoundStart> started = context.broadcast(start);
        List<Broadcast<CarriedState>> carried =
                states.stream().map(context::broadcast).toList();
        TrainChunks task = new TrainChunks(partitioner, started, carried, network.classes(), settings.seed());
        List<ReplicaOutcome>[] results =
                chunks.mapPartitionsWithIndex(task, true).collectPartitions(partitioner.partitions(round));
        started.destroy();
        carried.forEach(Broadcast::destroy);
        List<ReplicaOutcome> outcomes = new ArrayList<>();
        for (List<ReplicaOutcome> result : results) {
            if (result.get(0).problem != null) {
                throw new UnrollException(result.get(0).problem);
            }
            outcomes.add(result.get(0));
        }
        return outcomes;
    }

    /** @param chunks number of chunks of the round, per replica */
    private static RoundStart mean(List<ReplicaOutcome> outcomes, RoundStart before, int chunks) {
        if (outcomes.stream().allMatch(outcome -> outcome.tokens == 0)) {
            throw new UnrollException("masks cover every label step of chunks " + before.chunk + " to "
                    + (before.chunk + chunks - 1) + " of all replicas: there is nothing to learn.");
        }
        WeightedMean parameters = new WeightedMean(before.parameters.length);
        WeightedMean updater = new WeightedMean(before.updater.length);
        for (ReplicaOutcome outcome : outcomes) {
            parameters.add(outcome.parameters, outcome.tokens);
            updater.add(outcome.updater, outcome.tokens);
        }
        return new RoundStart(
                before.configuration,
                parameters.value(),
                updater.value(),
                before.iteration + chunks,
                before.epoch,
                before.chunk + chunks);
    }
}
