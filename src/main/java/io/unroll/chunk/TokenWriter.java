package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.function.IntConsumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/** Writes a token file: token ids in little-endian order, without a header. */
public final class TokenWriter implements IntConsumer, Closeable {
    private static final int BUFFER = 1 << 14;

    private final CheckedOutputStream out;
    private final int width;
    private final int[] buffer = new int[BUFFER];
    private final byte[] bytes;
    private int used;
    private long flushed;

    /** @param width bytes per token, see {@link TokenIndex#width} */
    public TokenWriter(OutputStream out, int width) {
        this.out = new CheckedOutputStream(out, new CRC32C());
        this.width = width;
        this.bytes = new byte[BUFFER * width];
    }

    @Override
    public void accept(int token) {
        if (used == BUFFER) {
            flush();
        }
        buffer[used++] = token;
    }

    public long tokens() {
        return flushed + used;
    }

    /** @return the CRC-32C of the tokens written so far */
    public long checksum() {
        flush();
        return out.getChecksum().getValue();
    }

    /** Converts one byte position of all tokens per inner loop, which the JIT compiler can vectorize. */
    private void flush() {
        for (int b = 0; b < width; b++) {
            for (int i = 0; i < used; i++) {
                bytes[i * width + b] = (byte) (buffer[i] >>> (8 * b));
            }
        }
        try {
            out.write(bytes, 0, used * width);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        flushed += used;
        used = 0;
    }

    @Override
    public void close() throws IOException {
        try (out) {
            flush();
        }
    }
}
