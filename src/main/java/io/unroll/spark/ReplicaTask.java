package io.unroll.spark;

import io.unroll.train.Replica;
import io.unroll.train.ReplicaState;
import io.unroll.train.Weights;
import java.io.IOException;
import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;

/**
 * Trains one replica for a round; runs in a Spark task.
 *
 * @param <I> input of the task: the replica's number and state, and what else the task needs
 */
public interface ReplicaTask<I> extends Serializable {
    /** The number of a replica, and its state after the previous round. */
    record Input(int replica, StateSource state) implements Serializable {}

    /** Provides a replica's state: from the task itself or from a broadcast. */
    interface StateSource extends Serializable {
        ReplicaState value();
    }

    /** @param start weights at the start of the round, the same for all replicas */
    Replica.ReplicaUpdate train(I input, Broadcast<Weights> start) throws IOException;

    /** @return whether this executor trains in bfloat16 */
    boolean bfloat16();
}
