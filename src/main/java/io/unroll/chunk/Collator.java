package io.unroll.chunk;

import java.io.Serializable;
import java.util.List;

/** Lays examples out side by side. */
public interface Collator extends Serializable {
    /** @return steps that an example takes */
    int steps(int[] example);

    /** @return examples of about the same are cheap in one batch */
    default long likeness(int[] example) {
        return steps(example);
    }

    /** @return a batch of a lane for each example, as many steps as the longest takes */
    Batch batch(List<int[]> examples);
}
