package io.unroll.spark;

import io.unroll.train.Weights;
import java.io.Serializable;
import java.util.List;

/**
 * Layout of weights as blocks of equal size (the last one may be shorter), which different tasks can average:
 *
 * <pre>
 *   parameters ............... | optimizer ...................................
 *   block 0 | block 1 | block 2 | block 3 | ...
 * </pre>
 *
 * @param parameters number of parameters
 * @param optimizer number of optimizer state values to average; 0 if the optimizer state is not averaged
 */
record WeightBlocks(int parameters, int optimizer) implements Serializable {
    /** Values per block. */
    static final int SIZE = 1 << 18;

    int count() {
        return Math.toIntExact((total() + SIZE - 1) / SIZE);
    }

    long total() {
        return (long) parameters + optimizer;
    }

    int length(int block) {
        return (int) Math.min(SIZE, total() - (long) block * SIZE);
    }

    /** @return a copy of a block's values */
    float[] block(Weights weights, int block) {
        float[] values = new float[length(block)];
        copy(weights, block, values, true);
        return values;
    }

    /** @param blocks the values of all blocks, in order */
    Weights join(List<float[]> blocks) {
        Weights weights = new Weights(new float[parameters], new float[optimizer]);
        for (int block = 0; block < blocks.size(); block++) {
            copy(weights, block, blocks.get(block), false);
        }
        return weights;
    }

    private void copy(Weights weights, int block, float[] values, boolean toBlock) {
        long start = (long) block * SIZE;
        int split = (int) Math.max(0, Math.min(values.length, parameters - start));
        if (split > 0) {
            copy(weights.parameters(), (int) start, values, 0, split, toBlock);
        }
        if (split < values.length) {
            copy(
                    weights.optimizer(),
                    (int) (start + split - parameters),
                    values,
                    split,
                    values.length - split,
                    toBlock);
        }
    }

    private static void copy(float[] array, int start, float[] block, int offset, int length, boolean toBlock) {
        if (toBlock) {
            System.arraycopy(array, start, block, offset, length);
        } else {
            System.arraycopy(block, offset, array, start, length);
        }
    }
}
