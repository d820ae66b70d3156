package io.unroll.train;

import io.unroll.model.Loss;
import io.unroll.model.RecurrentState;
import java.io.Serializable;

/**
 * What one replica's round gives back.
 *
 * @param divergence where loss or weights are no longer finite, what happened; null otherwise
 */
public record ReplicaResult(
        int replica, Snapshot.Weights weights, RecurrentState state, Loss loss, double learningRate, String divergence)
        implements Serializable {}
