package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;

/** The batches that a replica trains on in one epoch, one for each chunk. */
public interface Batches extends Closeable {
    /** @param end exclusive limit of read-ahead: the caller needs no chunk from this index on */
    Batch chunk(int index, int end) throws IOException;
}
