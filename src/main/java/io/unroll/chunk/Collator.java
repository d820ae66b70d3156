package io.unroll.chunk;

import java.io.Serializable;
import java.util.List;

/** Combines examples into padded batches. */
public interface Collator extends Serializable {
    /**
     * @param source length of an example's source
     * @param target length of its target
     * @return the number of steps that the example needs; it never decreases if a length increases
     */
    int steps(int source, int target);

    /** @return the bucketing key: examples with close keys need little padding in one batch */
    default long bucketKey(Example example) {
        return steps(example);
    }

    default int steps(Example example) {
        return steps(example.source().length(), example.target().length);
    }

    /**
     * @param tbptt maximum number of steps of a chunk of a text
     * @return the maximum number of steps of a batch; a longer one is cut into pieces
     */
    default int maxSteps(int tbptt) {
        return Integer.MAX_VALUE;
    }

    /** @return a batch with one lane per example, padded to the longest example */
    Batch batch(List<Example> examples);
}
