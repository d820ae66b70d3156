package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/** A sequence of tokens with random access. */
public interface TokenSource extends Closeable {
    /** Reads tokens {@code [from, from + count)} into {@code target}, starting at {@code offset}. */
    void read(long from, int[] target, int offset, int count) throws IOException;

    @Override
    default void close() throws IOException {}

    /** Opens the tokens on the machine that reads them. */
    interface Opener extends Serializable {
        TokenSource open(Configuration hadoop) throws IOException;
    }
}
