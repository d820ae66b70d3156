package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.SplittableRandom;
import org.apache.commons.lang3.SerializationUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsTest {
    private static final float[] EMPTY = {};

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
    void detectsNumbersThatAreNotFinite(float value) {
        assertEquals(Float.isFinite(value), new Weights(new float[] {1, value, -3}, EMPTY).finite());
        assertEquals(Float.isFinite(value), new Weights(new float[] {1}, new float[] {value}).finite());
    }

    @Test
    void detectsANegativeNaN() {
        assertFalse(new Weights(new float[] {Float.intBitsToFloat(0xFFC0_0001)}, EMPTY).finite());
    }

    @Test
    void serializationKeepsEveryBit() {
        SplittableRandom random = new SplittableRandom(3);
        for (int size : new int[] {0, 1, 16_384, 50_000}) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = Float.intBitsToFloat(random.nextInt());
            }
            Weights deserialized = SerializationUtils.roundtrip(new Weights(values, new float[] {size}));
            assertArrayEquals(bits(values), bits(deserialized.parameters()));
            assertArrayEquals(new float[] {size}, deserialized.optimizer());
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }
}
