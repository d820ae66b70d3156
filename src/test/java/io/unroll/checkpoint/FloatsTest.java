package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FloatsTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16_384, 50_000})
    void theBytesAreThoseOfWriteFloat(int size) throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        float[] values = new float[size];
        ByteArrayOutputStream oneByOne = new ByteArrayOutputStream();
        DataOutputStream reference = new DataOutputStream(oneByOne);
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextDouble(-1e9, 1e9);
            reference.writeFloat(values[i]);
        }
        ByteArrayOutputStream inBlocks = new ByteArrayOutputStream();
        Floats.write(values, new DataOutputStream(inBlocks));
        assertArrayEquals(oneByOne.toByteArray(), inBlocks.toByteArray());
        assertArrayEquals(
                values, Floats.read(size, new DataInputStream(new ByteArrayInputStream(inBlocks.toByteArray()))));
    }
}
