package io.unroll.chunk;

import java.io.Serializable;

/** Division of an epoch among replicas, with equally many chunks for each. {@code toString} describes it to users. */
public interface Plan extends Serializable {
    int replicas();

    /** @return the number of lanes in a batch */
    int batch();

    /** @return the number of steps of the longest batch */
    int steps();

    /** @return the number of chunks, and so of batches, that each replica trains on in an epoch */
    int chunks();
}
