package io.unroll.spark;

import io.unroll.chunk.BatchSource;
import io.unroll.chunk.Batches;
import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import io.unroll.model.NetworkShape;
import io.unroll.model.ReplicaMemory;
import io.unroll.train.Replica;
import io.unroll.train.ReplicaState;
import io.unroll.train.Round;
import io.unroll.train.Weights;
import java.io.IOException;
import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/**
 * The Spark task of a round: one replica reads its own part of the corpus, and trains.
 *
 * @param tokensTrained what Spark's web page shows of the stage
 */
record TrainReplica(
        Round round,
        Broadcast<Weights> weights,
        Plan plan,
        Settings settings,
        NetworkShape shape,
        BatchSource source,
        Broadcast<SerializableConfiguration> hadoop,
        LongAccumulator tokensTrained)
        implements Serializable {

    /** Gives a replica's state to its task. */
    interface State extends Serializable {
        ReplicaState value();
    }

    record Input(int replica, State state) implements Serializable {}

    /** @param startMillis and endMillis by this worker's clock, for people only */
    record Trained(Replica.Trained trained, Worker worker, long startMillis, long endMillis) implements Serializable {}

    Trained train(Input input) throws IOException {
        Worker.checkMemory(shape.weightBytes(), ReplicaMemory.bytes(shape, plan.batch(), plan.steps()));
        long start = System.currentTimeMillis();
        Replica replica = new Replica(input.replica(), plan, settings);
        try (Batches batches = source.training(
                plan, input.replica(), round.epoch(), hadoop.value().value())) {
            Replica.Trained trained = ExecutorNetworks.use(
                    shape,
                    network -> replica.train(
                            network,
                            batches,
                            round,
                            weights.value(),
                            input.state().value()));
            tokensTrained.add(trained.result().loss().tokens());
            return new Trained(trained, Worker.here(shape.model()), start, System.currentTimeMillis());
        }
    }
}
