package io.unroll.train;

import java.io.Serializable;

/**
 * What is averaged.
 *
 * @param parameters {@code [parameters]}
 * @param optimizer the optimizer's state; empty before the first step, and where it is not averaged
 */
public record Weights(float[] parameters, float[] optimizer) implements Serializable {
    private static final int EXPONENT = 0x7F80_0000;
    private static final int EXPONENT_UNIT = 0x0080_0000;

    /** @return whether every number is finite */
    public boolean finite() {
        return finite(parameters) && finite(optimizer);
    }

    private static boolean finite(float[] values) {
        int carry = 0;
        for (float value : values) {
            // An exponent of ones alone, which infinities and NaNs have, carries into the sign.
            carry |= (Float.floatToRawIntBits(value) & EXPONENT) + EXPONENT_UNIT;
        }
        return carry >= 0;
    }

    private Object writeReplace() {
        return new Travelling(new FloatArray(parameters), new FloatArray(optimizer));
    }

    private record Travelling(FloatArray parameters, FloatArray optimizer) implements Serializable {
        private Object readResolve() {
            return new Weights(parameters.values(), optimizer.values());
        }
    }
}
