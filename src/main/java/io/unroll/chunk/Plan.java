package io.unroll.chunk;

import java.io.Serializable;

/** How an epoch is shared out: replicas take as many chunks each. {@code toString} says so to people. */
public interface Plan extends Serializable {
    int replicas();

    /** @return lanes of a batch */
    int batch();

    /** @return steps of the longest batch */
    int steps();

    /** @return chunks of an epoch, the same for each replica */
    int chunks();
}
