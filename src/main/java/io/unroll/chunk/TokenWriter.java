package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.function.IntConsumer;

/** Writes one token file: raw little-endian ids. */
public final class TokenWriter implements IntConsumer, Closeable {
    private final OutputStream out;
    private final int width;
    private final byte[] buffer = new byte[1 << 16];
    private int used;
    private long tokens;

    public TokenWriter(OutputStream out, int width) {
        this.out = out;
        this.width = width;
    }

    @Override
    public void accept(int token) {
        if (used + width > buffer.length) {
            flush();
        }
        for (int i = 0; i < width; i++) {
            buffer[used++] = (byte) (token >>> (8 * i));
        }
        tokens++;
    }

    public long tokens() {
        return tokens;
    }

    private void flush() {
        try {
            out.write(buffer, 0, used);
            used = 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        try (out) {
            flush();
        }
    }
}
