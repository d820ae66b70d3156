package io.unroll.spark;

import io.unroll.chunk.Batches;
import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.ReplicaMemory;
import io.unroll.train.Replica;
import io.unroll.train.Round;
import io.unroll.train.Weights;
import java.io.IOException;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Trains one replica for a round, on the replica's part of the corpus. */
record TrainReplica(
        Round round, Plan plan, Settings settings, NetworkShape shape, Broadcast<SerializableConfiguration> hadoop)
        implements ReplicaTask<ReplicaTask.Input> {

    @Override
    public Replica.ReplicaUpdate train(Input input, Broadcast<Weights> start) throws IOException {
        ExecutorInfo.checkMemory(shape.weightBytes(), ReplicaMemory.bytes(shape, plan.batch(), plan.steps()));
        Replica replica = new Replica(input.replica(), plan, settings);
        try (Batches batches =
                plan.open(input.replica(), round.epoch(), hadoop.value().value())) {
            return IdlePool.use(
                    shape,
                    () -> new Network(shape),
                    network -> replica.train(
                            network,
                            batches,
                            round,
                            start.value(),
                            input.state().value()));
        }
    }

    @Override
    public boolean bfloat16() {
        return Network.computesInBfloat16(shape.model());
    }
}
