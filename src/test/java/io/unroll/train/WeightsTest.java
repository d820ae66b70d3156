package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsTest {
    private static final float[] NONE = {};

    @ParameterizedTest
    @ValueSource(
            floats = {
                0,
                -0f,
                -2,
                Float.MIN_VALUE,
                Float.MAX_VALUE,
                -Float.MAX_VALUE,
                Float.NaN,
                Float.POSITIVE_INFINITY,
                Float.NEGATIVE_INFINITY
            })
    void numbersThatAreNotFiniteAreSeen(float value) {
        assertEquals(Float.isFinite(value), new Weights(new float[] {1, value, -3}, NONE).finite());
        assertEquals(Float.isFinite(value), new Weights(new float[] {1}, new float[] {value}).finite());
    }

    @Test
    void aNaNOfAnySignIsSeen() {
        assertFalse(new Weights(new float[] {Float.intBitsToFloat(0xFFC0_0001)}, NONE).finite());
    }
}
