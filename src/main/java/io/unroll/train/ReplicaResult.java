package io.unroll.train;

import io.unroll.model.Loss;
import java.io.Serializable;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The result of a round of one replica, without its weights.
 *
 * @param state state to start the next round with
 * @param learningRate learning rate of the last step
 * @param gradientNorm norm of the gradient before clipping, mean over the steps
 * @param clippedShare share of steps whose gradient was clipped
 * @param paddingShare share of the positions of the batches that are padding
 * @param gradientFlow norm of the gradient of the loss with respect to the entire hidden state k steps earlier, by k;
 *     empty if it was not measured
 * @param divergence a description of the problem if the training has diverged; otherwise null
 */
public record ReplicaResult(
        int replica,
        ReplicaState state,
        Loss loss,
        double learningRate,
        double gradientNorm,
        double clippedShare,
        double paddingShare,
        SortedMap<Integer, Double> gradientFlow,
        String divergence)
        implements Serializable {
    /** @return the result of a replica that measures nothing but its loss */
    public static ReplicaResult of(int replica, ReplicaState state, Loss loss) {
        return new ReplicaResult(replica, state, loss, Double.NaN, Double.NaN, 0, 0, new TreeMap<>(), null);
    }
}
