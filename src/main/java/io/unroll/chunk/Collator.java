package io.unroll.chunk;

import java.io.Serializable;
import java.util.List;

/** Combines encoded examples into padded batches. */
public interface Collator extends Serializable {
    /** @return the number of steps that the example needs */
    int steps(int[] example);

    /** @return the bucketing key: examples with close keys need little padding in one batch */
    default long bucketKey(int[] example) {
        return steps(example);
    }

    /** @return a batch with one lane per example, padded to the longest example */
    Batch batch(List<int[]> examples);
}
