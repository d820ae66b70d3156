package io.unroll.chunk;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Writes one file of examples, big-endian: of each the number of its integers, and these. */
public final class ExampleWriter implements Closeable {
    private final DataOutputStream out;
    private int examples;

    public ExampleWriter(OutputStream out) {
        this.out = new DataOutputStream(new BufferedOutputStream(out, 1 << 16));
    }

    public void write(int[] example) throws IOException {
        out.writeInt(example.length);
        for (int each : example) {
            out.writeInt(each);
        }
        examples++;
    }

    public int examples() {
        return examples;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
