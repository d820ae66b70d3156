package io.unroll.train;

import io.unroll.config.Settings;
import java.io.Serializable;

/**
 * The outer step after a round: SGD with Nesterov momentum, with the mean change of the replicas as the (negative)
 * gradient. {@code s} are the weights that all replicas started from, {@code m} is the mean of their trained weights:
 *
 * <pre>
 *   v' = momentum v + (m - s)
 *   s' = s + rate ((m - s) + momentum v')
 * </pre>
 *
 * <ul>
 *   <li>Rate 1 and momentum 0: {@code s' = m}, plain averaging.
 *   <li>Rate 1 and momentum 1 - 1/N for N replicas: BMUF with Nesterov block momentum (Chen and Huo 2016, equations 4,
 *       5 and 8). Its weights W(t) are the mean m, and the replicas start from W(t) + momentum v'. The change is
 *       measured from that start, including the look-ahead.
 *   <li>Other values: the outer step of DiLoCo (Douillard et al. 2023, algorithm 1).
 * </ul>
 *
 * @param start weights that the replicas start the next round from, {@code [parameters]}
 * @param velocity {@code [parameters]}; empty without momentum and before the first step
 */
record OuterStep(float[] start, float[] velocity) implements Serializable {
    static OuterStep take(OuterStep before, float[] mean, Settings.Averaging averaging) {
        float rate = (float) averaging.learningRate();
        float momentum = (float) averaging.momentum();
        boolean first = before.velocity.length == 0;
        float[] start = new float[mean.length];
        float[] velocity = new float[momentum == 0 ? 0 : mean.length];
        for (int i = 0; i < start.length; i++) {
            float change = mean[i] - before.start[i];
            start[i] = mean[i] + (rate - 1) * change;
            if (momentum > 0) {
                velocity[i] = (first ? 0 : momentum * before.velocity[i]) + change;
                start[i] += rate * momentum * velocity[i];
            }
        }
        return new OuterStep(start, velocity);
    }

    /** @return the weights to validate and publish: for BMUF without the look-ahead, otherwise {@link #start} */
    float[] weights(Settings.Averaging averaging) {
        if (averaging.method() != Settings.AveragingMethod.BMUF || velocity.length == 0) {
            return start;
        }
        float lookAhead = (float) averaging.learningRate() * (float) averaging.momentum();
        float[] weights = new float[start.length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = start[i] - lookAhead * velocity[i];
        }
        return weights;
    }
}
