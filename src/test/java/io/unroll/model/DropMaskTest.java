package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.factory.Nd4j;

class DropMaskTest {
    private static final int SIZE = 3 * 4096 + 5;

    @ParameterizedTest
    @ValueSource(doubles = {0.05, 0.3, 0.5, 0.9})
    void dropsTheGivenShareIndependentlyAndScalesTheRest(double probability) {
        Nd4j.getRandom().setSeed(3);
        DropMask mask = new DropMask(probability);
        mask.draw();
        float[] kept = applied(mask);

        double error = 5 * Math.sqrt(probability * (1 - probability) / SIZE);
        for (int lag = 1; lag <= 4; lag++) {
            int bothDropped = 0;
            for (int i = lag; i < SIZE; i++) {
                bothDropped += kept[i] == 0 && kept[i - lag] == 0 ? 1 : 0;
            }
            assertEquals(
                    probability * probability,
                    (double) bothDropped / SIZE,
                    2 * error,
                    "both dropped, at distance " + lag);
        }
        int dropped = 0;
        for (int i = 0; i < SIZE; i++) {
            dropped += kept[i] == 0 ? 1 : 0;
            assertEquals(kept[i] == 0 ? 0 : (i + 1) / (1 - probability), kept[i], 1e-4 * kept[i], "number " + i);
        }
        assertEquals(probability, (double) dropped / SIZE, error);
    }

    @Test
    void maskStaysTheSameUntilTheNextDraw() {
        Nd4j.getRandom().setSeed(5);
        DropMask mask = new DropMask(0.5);
        mask.draw();
        float[] first = applied(mask);

        assertArrayEquals(first, applied(mask));
        mask.draw();
        assertFalse(Arrays.equals(first, applied(mask)));
        Nd4j.getRandom().setSeed(5);
        mask.draw();
        assertArrayEquals(first, applied(mask));
    }

    /** @return the numbers 1, 2, 3 and so on after dropout */
    private static float[] applied(DropMask mask) {
        float[] values = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i] = i + 1;
        }
        try (FloatPointer data = new FloatPointer(values)) {
            mask.apply(data, data, SIZE);
            data.get(values);
        }
        return values;
    }
}
