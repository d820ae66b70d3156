package io.unroll.chunk;

import java.io.Closeable;
import java.io.IOException;

/** What a replica trains on in one epoch, a batch for each chunk. */
public interface Batches extends Closeable {
    /** @param end chunks from this one on will not be asked for, and are not read ahead */
    Batch chunk(int index, int end) throws IOException;
}
