package io.unroll.spark;

import io.unroll.train.Weights;
import java.io.Serializable;
import java.util.List;

/**
 * Weights as blocks of equal size but for the last one, so that each can be averaged by another task:
 *
 * <pre>
 *   parameters ............... | optimizer ...................................
 *   block 0 | block 1 | block 2 | block 3 | ...
 * </pre>
 */
record WeightBlocks(int parameters, int optimizer) implements Serializable {
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

    float[] cut(Weights weights, int block) {
        float[] values = new float[length(block)];
        copy(weights, block, values, true);
        return values;
    }

    /** @param blocks all of them, in order */
    Weights join(List<float[]> blocks) {
        Weights weights = new Weights(new float[parameters], new float[optimizer]);
        for (int block = 0; block < blocks.size(); block++) {
            copy(weights, block, blocks.get(block), false);
        }
        return weights;
    }

    private void copy(Weights weights, int block, float[] values, boolean out) {
        long start = (long) block * SIZE;
        int first = (int) Math.max(0, Math.min(values.length, parameters - start));
        if (first > 0) {
            copy(weights.parameters(), (int) start, values, 0, first, out);
        }
        if (first < values.length) {
            copy(weights.optimizer(), (int) (start + first - parameters), values, first, values.length - first, out);
        }
    }

    private static void copy(float[] whole, int at, float[] block, int from, int length, boolean out) {
        if (out) {
            System.arraycopy(whole, at, block, from, length);
        } else {
            System.arraycopy(block, from, whole, at, length);
        }
    }
}
