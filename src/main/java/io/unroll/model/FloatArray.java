package io.unroll.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/** A {@code float[]} that serializes in blocks, big-endian: Java's serialization writes its elements one by one. */
public final class FloatArray implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int BLOCK = 1 << 14;

    private transient float[] values;

    public FloatArray(float[] values) {
        this.values = values;
    }

    public float[] values() {
        return values;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.writeInt(values.length);
        write(values, out);
    }

    private void readObject(ObjectInputStream in) throws IOException {
        values = new float[in.readInt()];
        read(values, in);
    }

    public static void write(float[] values, DataOutput out) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(BLOCK, values.length) * Float.BYTES);
        for (int start = 0; start < values.length; start += BLOCK) {
            int count = Math.min(BLOCK, values.length - start);
            bytes.asFloatBuffer().put(values, start, count);
            out.write(bytes.array(), 0, count * Float.BYTES);
        }
    }

    /** @return CRC-32C of the bytes that {@link #write} writes */
    public static long checksum(float[] values) {
        CRC32C checksum = new CRC32C();
        try {
            write(values, new DataOutputStream(new CheckedOutputStream(OutputStream.nullOutputStream(), checksum)));
        } catch (IOException e) {
            throw new IllegalStateException("a null stream does not fail", e);
        }
        return checksum.getValue();
    }

    public static void read(float[] values, DataInput in) throws IOException {
        byte[] bytes = new byte[Math.min(BLOCK, values.length) * Float.BYTES];
        FloatBuffer floats = ByteBuffer.wrap(bytes).asFloatBuffer();
        for (int start = 0; start < values.length; start += BLOCK) {
            int count = Math.min(BLOCK, values.length - start);
            in.readFully(bytes, 0, count * Float.BYTES);
            floats.rewind().get(values, start, count);
        }
    }
}
