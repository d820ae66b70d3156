package io.unroll.train;

import io.unroll.model.Loss;
import java.io.Serializable;
import java.util.SortedMap;

/**
 * What one replica's round gives back, beside its weights.
 *
 * @param learningRate of the last step
 * @param gradientNorm before clipping, mean over the steps
 * @param clippedSteps how many of its steps were clipped
 * @param gradientFlow norms of the gradient of a loss with respect to the whole state so many steps before; empty where
 *     they are not measured
 * @param divergence where loss or weights are no longer finite, what happened; null otherwise
 */
public record ReplicaResult(
        int replica,
        ReplicaState state,
        Loss loss,
        double learningRate,
        double gradientNorm,
        int clippedSteps,
        SortedMap<Integer, Double> gradientFlow,
        String divergence)
        implements Serializable {}
