package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;

/** A numbered run of tokens that can be read from anywhere. */
public interface TokenSource extends Closeable {
    /** Reads tokens {@code from} to {@code from + count - 1} into the target, starting at the offset. */
    void read(long from, int[] target, int offset, int count) throws IOException;

    @Override
    default void close() throws IOException {}
}
