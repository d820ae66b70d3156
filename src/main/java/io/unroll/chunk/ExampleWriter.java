package io.unroll.chunk;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/** Writes a file of examples: for each, the number of its integers, then the integers, all big-endian int32. */
public final class ExampleWriter implements Closeable {
    private final CRC32C checksum = new CRC32C();
    private final DataOutputStream out;
    private int examples;

    public ExampleWriter(OutputStream out) {
        this.out = new DataOutputStream(new BufferedOutputStream(new CheckedOutputStream(out, checksum), 1 << 16));
    }

    public void write(int[] example) throws IOException {
        out.writeInt(example.length);
        for (int value : example) {
            out.writeInt(value);
        }
        examples++;
    }

    public int examples() {
        return examples;
    }

    /** @return the CRC-32C of the examples written so far */
    public long checksum() throws IOException {
        out.flush();
        return checksum.getValue();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
