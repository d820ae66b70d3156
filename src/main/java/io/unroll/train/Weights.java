package io.unroll.train;

import io.unroll.model.FloatArray;
import java.io.Serializable;

/**
 * Weights and optimizer state, which the replicas average.
 *
 * @param parameters {@code [parameters]}
 * @param optimizer state of the optimizer; empty before the first step and if it is not averaged
 */
public record Weights(float[] parameters, float[] optimizer) implements Serializable {
    private static final int EXPONENT_MASK = 0x7F80_0000;
    private static final int EXPONENT_ONE = 0x0080_0000;

    /** @return whether every number is finite */
    public boolean finite() {
        return finite(parameters) && finite(optimizer);
    }

    private static boolean finite(float[] values) {
        int carry = 0;
        for (float value : values) {
            // Infinities and NaNs have an exponent of all ones: adding one carries into the sign bit.
            carry |= (Float.floatToRawIntBits(value) & EXPONENT_MASK) + EXPONENT_ONE;
        }
        return carry >= 0;
    }

    private Object writeReplace() {
        return new SerializedForm(new FloatArray(parameters), new FloatArray(optimizer));
    }

    private record SerializedForm(FloatArray parameters, FloatArray optimizer) implements Serializable {
        private Object readResolve() {
            return new Weights(parameters.values(), optimizer.values());
        }
    }
}
