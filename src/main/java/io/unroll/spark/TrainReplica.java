package io.unroll.spark;

import io.unroll.chunk.Plan;
import io.unroll.chunk.TokenIndex;
import io.unroll.chunk.TokenReader;
import io.unroll.config.Settings;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.task.Task;
import io.unroll.train.Replica;
import io.unroll.train.ReplicaResult;
import io.unroll.train.Round;
import io.unroll.train.Snapshot;
import java.io.IOException;
import java.io.Serializable;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** The Spark task of a round: one replica reads its own ranges of the token files, and trains. */
record TrainReplica(
        Round round,
        Broadcast<Snapshot.Weights> weights,
        Plan plan,
        Settings settings,
        NetworkShape shape,
        String tokens,
        TokenIndex index,
        Broadcast<SerializableConfiguration> hadoop)
        implements Function<TrainReplica.Input, ReplicaResult> {

    record Input(int replica, RecurrentState state) implements Serializable {}

    @Override
    public ReplicaResult call(Input input) throws IOException {
        Replica replica = new Replica(
                input.replica(), plan, settings.training(), settings.run().seed());
        try (TokenReader reader = new TokenReader(tokens, index, hadoop.value().value())) {
            return ExecutorNetworks.use(
                    shape,
                    network -> replica.train(
                            network,
                            Task.of(settings.task()).training(reader, plan, input.replica()),
                            round,
                            weights.value(),
                            input.state()));
        }
    }
}
