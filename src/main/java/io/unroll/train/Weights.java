package io.unroll.train;

import java.io.Serializable;

/**
 * What is averaged.
 *
 * @param parameters {@code [parameters]}
 * @param optimizer the optimizer's state; empty before the first step, and where it is not averaged
 */
public record Weights(float[] parameters, float[] optimizer) implements Serializable {
    /** @return whether every number is finite */
    boolean finite() {
        return finite(parameters) && finite(optimizer);
    }

    private static boolean finite(float[] values) {
        float sum = 0;
        for (float value : values) {
            sum += value * 0;
        }
        return sum == 0;
    }
}
