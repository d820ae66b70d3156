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
 * Spark task that trains one replica for a round, on the replica's part of the corpus.
 *
 * @param tokensTrained accumulator that Spark's web UI shows with the stage
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

    /** Provides a replica's state to its task: from the task itself or from a broadcast. */
    interface StateSource extends Serializable {
        ReplicaState value();
    }

    record Input(int replica, StateSource state) implements Serializable {}

    /** @param startMillis and endMillis by the executor's clock, for display only */
    record TaskReport(Replica.ReplicaUpdate update, ExecutorInfo executor, long startMillis, long endMillis)
            implements Serializable {}

    TaskReport train(Input input) throws IOException {
        ExecutorInfo.checkMemory(shape.weightBytes(), ReplicaMemory.bytes(shape, plan.batch(), plan.steps()));
        long startMillis = System.currentTimeMillis();
        Replica replica = new Replica(input.replica(), plan, settings);
        try (Batches batches = source.training(
                plan, input.replica(), round.epoch(), hadoop.value().value())) {
            Replica.ReplicaUpdate update = ExecutorNetworks.use(
                    shape,
                    network -> replica.train(
                            network,
                            batches,
                            round,
                            weights.value(),
                            input.state().value()));
            tokensTrained.add(update.result().loss().tokens());
            return new TaskReport(update, ExecutorInfo.here(shape.model()), startMillis, System.currentTimeMillis());
        }
    }
}
