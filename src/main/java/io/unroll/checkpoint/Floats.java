package io.unroll.checkpoint;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Arrays of floats as bytes, big-endian; a {@code DataOutput} itself would take them one by one. */
final class Floats {
    private static final int BLOCK = 1 << 14;

    private Floats() {}

    static void write(float[] values, DataOutput out) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(BLOCK, values.length) * Float.BYTES);
        for (int start = 0; start < values.length; start += BLOCK) {
            int count = Math.min(BLOCK, values.length - start);
            bytes.asFloatBuffer().put(values, start, count);
            out.write(bytes.array(), 0, count * Float.BYTES);
        }
    }

    static float[] read(int length, DataInput in) throws IOException {
        float[] values = new float[length];
        byte[] bytes = new byte[Math.min(BLOCK, length) * Float.BYTES];
        FloatBuffer floats = ByteBuffer.wrap(bytes).asFloatBuffer();
        for (int start = 0; start < length; start += BLOCK) {
            int count = Math.min(BLOCK, length - start);
            in.readFully(bytes, 0, count * Float.BYTES);
            floats.rewind().get(values, start, count);
        }
        return values;
    }
}
