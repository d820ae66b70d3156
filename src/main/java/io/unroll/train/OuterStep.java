package io.unroll.train;

import io.unroll.config.Settings;
import java.io.Serializable;

/**
 * A step of stochastic gradient descent with Nesterov momentum, for which the replicas' mean change is the gradient.
 * From where all replicas started, {@code s}, to their mean, {@code m}:
 *
 * <pre>
 *   v' = momentum v + (m - s)
 *   s' = s + rate ((m - s) + momentum v')
 * </pre>
 *
 * With rate 1 and no momentum that is the mean. With rate 1 and momentum 1 - 1/N it is BMUF with Nesterov block
 * momentum (Chen and Huo 2016, equations 4, 5 and 8): its weights W(t) are the mean m, and the replicas start from
 * W(t) + momentum v'. The change is measured from that start, look-ahead included. With others it is DiLoCo's outer
 * step (Douillard et al. 2023, algorithm 1).
 *
 * @param start from which the replicas train next, {@code [parameters]}
 * @param velocity {@code [parameters]}; empty where there is no momentum or has been no step
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

    /** @return what is validated and published: for BMUF without the look-ahead, which is only a start */
    float[] weights(Settings.Averaging averaging) {
        if (averaging.method() != Settings.AveragingMethod.BMUF || velocity.length == 0) {
            return start;
        }
        float ahead = (float) averaging.learningRate() * (float) averaging.momentum();
        float[] weights = new float[start.length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = start[i] - ahead * velocity[i];
        }
        return weights;
    }
}
