package io.unroll.train;

import java.util.List;
import java.util.function.Function;

/** Merges what the replicas of a round have learnt. */
public final class Averaging {
    private Averaging() {}

    /** @return the mean of weights and optimizer state, weighted by tokens, summed in the order of the replicas */
    public static Snapshot.Weights mean(List<ReplicaResult> results) {
        return new Snapshot.Weights(
                mean(results, Snapshot.Weights::parameters), mean(results, Snapshot.Weights::optimizerState));
    }

    private static float[] mean(List<ReplicaResult> results, Function<Snapshot.Weights, float[]> part) {
        double[] sum = new double[part.apply(results.get(0).weights()).length];
        long tokens = 0;
        for (ReplicaResult result : results) {
            long weight = result.loss().tokens();
            float[] values = part.apply(result.weights());
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weight * (double) values[i];
            }
            tokens += weight;
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < sum.length; i++) {
            mean[i] = (float) (sum[i] / tokens);
        }
        return mean;
    }
}
