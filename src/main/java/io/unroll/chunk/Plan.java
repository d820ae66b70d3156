package io.unroll.chunk;

import java.io.IOException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/**
 * Division of an epoch among replicas, with equally many chunks for each. Serializable: it is sent to the executors,
 * where it opens the batches. {@code toString} describes it to users.
 */
public interface Plan extends Serializable {
    int replicas();

    /** @return the number of lanes in a batch */
    int batch();

    /** @return the number of steps of the longest batch */
    int steps();

    /** @return the number of chunks, and so of batches, that each replica trains on in an epoch */
    int chunks();

    /** @return the batches that one replica trains on in one epoch */
    Batches open(int replica, int epoch, Configuration hadoop) throws IOException;
}
