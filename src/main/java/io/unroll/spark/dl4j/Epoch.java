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
 * One call of {@code fit}. The DataSets are shuffled once, to where {@link Runs} puts them, and lie on the workers'
 * disks; each round is a job over its own partitions. The replicas' weights come to the driver, which averages them
 * in their order.
 */
final class Epoch {
    private final JavaSparkContext context;
    private final UnrollTrainingMaster.Settings settings;
    private final Driven network;

    Epoch(JavaSparkContext context, UnrollTrainingMaster.Settings settings, Driven network) {
        this.context = context;
        this.settings = settings;
        this.network = network;
    }

    /** @param afterRound gets the weights, and the mean score of the round */
    <T> void run(JavaRDD<T> data, Function<T, MultiDataSet> convert, ObjDoubleConsumer<Start> afterRound) {
        boolean kept = !data.getStorageLevel().equals(StorageLevel.NONE());
        // Read twice, and a source that is computed anew may give its DataSets in another order.
        JavaRDD<T> stable = kept ? data : data.persist(StorageLevel.DISK_ONLY());
        try {
            train(stable, convert, afterRound);
        } finally {
            context.setJobDescription(null);
            if (!kept) {
                stable.unpersist();
            }
        }
    }

    private <T> void train(JavaRDD<T> data, Function<T, MultiDataSet> convert, ObjDoubleConsumer<Start> afterRound) {
        long[] starts = starts(data);
        Runs runs = new Runs(starts[starts.length - 1], settings.replicas(), settings.averagingEvery());
        JavaPairRDD<Long, Chunk> chunks = JavaPairRDD.fromJavaRDD(data.mapPartitionsWithIndex(
                        (partition, each) -> placed(starts[partition], each, convert), true))
                .repartitionAndSortWithinPartitions(runs);
        Start start = new Start(
                network.configuration().toJson(),
                network.parameters(),
                network.updaterState(),
                network.iteration(),
                network.epoch(),
                0);
        List<CarriedState> states = Collections.nCopies(settings.replicas(), CarriedState.ZERO);
        for (int round = 0; round < runs.rounds(); round++) {
            context.setJobDescription("round " + (round + 1) + " of " + runs.rounds());
            List<Trained> trained = round(runs, round, chunks, start, states);
            start = mean(trained, start, runs.chunks(round));
            states = trained.stream().map(one -> one.state).toList();
            double scores = trained.stream().mapToDouble(one -> one.scores).sum();
            long tokens = trained.stream().mapToLong(one -> one.tokens).sum();
            afterRound.accept(start, scores / tokens);
        }
        chunks.rdd().cleanShuffleDependencies(false);
    }

    /** @return the place of each partition's first DataSet, and behind them the number of all */
    private <T> long[] starts(JavaRDD<T> data) {
        context.setJobDescription("count DataSets");
        List<Long> counts = data.mapPartitions(Epoch::count).collect();
        long[] starts = new long[counts.size() + 1];
        for (int i = 0; i < counts.size(); i++) {
            starts[i + 1] = starts[i] + counts.get(i);
        }
        long all = starts[counts.size()];
        if (all < settings.replicas()) {
            throw new ConfigurationException("the training data are " + all + " DataSets, and each of "
                    + settings.replicas() + " replicas needs one: lower replicas, or cut the data into more DataSets.");
        }
        return starts;
    }

    private static <T> Iterator<Long> count(Iterator<T> each) {
        long count = 0;
        while (each.hasNext()) {
            each.next();
            count++;
        }
        return List.of(count).iterator();
    }

    private static <T> Iterator<Tuple2<Long, Chunk>> placed(
            long start, Iterator<T> each, Function<T, MultiDataSet> convert) {
        return new Iterator<>() {
            private long place = start;

            @Override
            public boolean hasNext() {
                return each.hasNext();
            }

            @Override
            public Tuple2<Long, Chunk> next() {
                return new Tuple2<>(place++, Chunk.of(each.next(), convert));
            }
        };
    }

    private List<Trained> round(
            Runs runs, int round, JavaPairRDD<Long, Chunk> chunks, Start start, List<CarriedState> states) {
        Broadcast<Start> started = context.broadcast(start);
        List<Broadcast<CarriedState>> carried =
                states.stream().map(context::broadcast).toList();
        TrainChunks task = new TrainChunks(runs, started, carried, network.classes(), settings.seed());
        List<Trained>[] results = chunks.mapPartitionsWithIndex(task, true).collectPartitions(runs.partitions(round));
        started.destroy();
        carried.forEach(Broadcast::destroy);
        List<Trained> trained = new ArrayList<>();
        for (List<Trained> one : results) {
            if (one.get(0).problem != null) {
                throw new UnrollException(one.get(0).problem);
            }
            trained.add(one.get(0));
        }
        return trained;
    }

    /** @param chunks that the round has gone on by */
    private static Start mean(List<Trained> trained, Start before, int chunks) {
        if (trained.stream().allMatch(one -> one.tokens == 0)) {
            throw new UnrollException("masks cover every label step of chunks " + before.chunk + " to "
                    + (before.chunk + chunks - 1) + " of all replicas: nothing can be learnt from them.");
        }
        WeightedMean parameters = new WeightedMean(before.parameters.length);
        WeightedMean updater = new WeightedMean(before.updater.length);
        for (Trained one : trained) {
            parameters.add(one.parameters, one.tokens);
            updater.add(one.updater, one.tokens);
        }
        return new Start(
                before.configuration,
                parameters.value(),
                updater.value(),
                before.iteration + chunks,
                before.epoch,
                before.chunk + chunks);
    }
}
