package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;

/** A sequence of tokens with random access. */
public interface TokenSource extends Closeable {
    /** Reads tokens {@code [from, from + count)} into {@code target}, starting at {@code offset}. */
    void read(long from, int[] target, int offset, int count) throws IOException;

    @Override
    default void close() throws IOException {}
}
