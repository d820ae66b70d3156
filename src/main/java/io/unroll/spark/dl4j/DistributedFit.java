package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.spark.AveragedRound;
import io.unroll.spark.JavaSerialized;
import io.unroll.spark.Session;
import io.unroll.train.ReplicaState;
import io.unroll.train.Round;
import io.unroll.train.Weights;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import org.apache.spark.SerializableWritable;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaRDDLike;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.rdd.PartitionPruningRDD;
import org.apache.spark.storage.StorageLevel;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import scala.Function1;
import scala.Tuple2;

/**
 * One call of {@code fit}. Shuffles the DataSets once, by {@link ReplicaPartitioner}, to the executors' disks. Each
 * round is an {@link AveragedRound} on the partitions of that round.
 *
 * @param maxCollectedBytes maximum size of all replicas' weights that the driver averages; larger ones are shuffled
 */
record DistributedFit(
        Session session, UnrollTrainingMaster.Settings settings, UserNetwork network, long maxCollectedBytes) {
    private static final String READ = "read DataSets";

    /** Listener for the rounds. */
    interface AfterRound {
        /** @param iteration number of steps that each replica has been trained for */
        void accept(Weights mean, int iteration, double score);
    }

    <T> void run(JavaRDD<T> data, Function<T, MultiDataSet> convert, AfterRound afterRound) {
        JavaRDD<SerializableWritable<?>> chunks = data.map(element -> JavaSerialized.of(Chunk.of(element, convert)));
        // The RDD is read more than once; recomputed, it might return its DataSets in another order.
        chunks.persist(StorageLevel.DISK_ONLY());
        try {
            train(chunks, afterRound);
        } finally {
            chunks.unpersist();
        }
    }

    private void train(JavaRDD<SerializableWritable<?>> data, AfterRound afterRound) {
        ReplicaPartitioner partitioner = partitioner(data);
        JavaPairRDD<Long, SerializableWritable<?>> chunks = session.describe(READ, READ, () -> data.zipWithIndex()
                .mapToPair(Tuple2::swap)
                .repartitionAndSortWithinPartitions(partitioner));
        Weights weights = new Weights(network.parameters(), network.updaterState());
        AveragedRound averaged =
                new AveragedRound(session, weights.parameters().length, weights.optimizer().length, maxCollectedBytes);
        String configuration = network.configuration().toJson();
        List<ReplicaState> states = Collections.nCopies(settings.replicas(), ReplicaState.INITIAL);
        for (int number = 0; number < partitioner.rounds(); number++) {
            Round round = partitioner.round(number, network.iteration(), network.epoch());
            var roundChunks = partitions(chunks, number * settings.replicas(), settings.replicas());
            AveragedRound.Result result = averaged.run(
                    "round " + (number + 1) + " of " + partitioner.rounds(),
                    session.broadcast(weights),
                    states,
                    replicas -> replicas.zipPartitions(roundChunks, (replica, replicaChunks) -> List.of(
                                    new TrainChunks.Input(replica.next(), replicaChunks))
                            .iterator()),
                    new TrainChunks(round, configuration, network.classes(), settings.seed()));
            if (result.loss().tokens() == 0) {
                throw new UnrollException("masks cover every label step of chunks " + round.startChunk() + " to "
                        + (round.endChunk() - 1) + " of all replicas: there is nothing to learn.");
            }
            weights = result.mean();
            states = result.states();
            afterRound.accept(
                    weights, round.iteration() + round.chunks(), result.loss().mean());
        }
        chunks.rdd().cleanShuffleDependencies(false);
    }

    private ReplicaPartitioner partitioner(JavaRDD<?> data) {
        long total = session.describe(READ, READ, data::count);
        if (total < settings.replicas()) {
            throw new ConfigurationException("there are " + total + " DataSets for " + settings.replicas()
                    + " replicas, and each replica needs at least one: lower replicas, or split the data into more"
                    + " DataSets.");
        }
        return new ReplicaPartitioner(total, settings.replicas(), settings.averagingEvery());
    }

    private static <T> JavaRDD<T> partitions(JavaRDDLike<T, ?> rdd, int start, int count) {
        var chosen = (Function1<Object, Object> & Serializable)
                partition -> (int) partition >= start && (int) partition < start + count;
        return new JavaRDD<>(new PartitionPruningRDD<>(rdd.rdd(), chosen, rdd.classTag()), rdd.classTag());
    }
}
