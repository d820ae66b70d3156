package io.unroll.spark;

import io.unroll.train.Weights;
import java.io.Serializable;
import java.nio.FloatBuffer;
import java.util.List;
import org.apache.commons.lang3.ArrayUtils;

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
        long start = (long) block * SIZE;
        long end = start + length(block);
        return ArrayUtils.addAll(
                ArrayUtils.subarray(
                        weights.parameters(), (int) Math.min(start, parameters), (int) Math.min(end, parameters)),
                ArrayUtils.subarray(
                        weights.optimizer(), (int) Math.max(0, start - parameters), (int) (end - parameters)));
    }

    /** @param blocks the values of all blocks, in order */
    Weights join(List<float[]> blocks) {
        FloatBuffer parameterValues = FloatBuffer.allocate(parameters);
        FloatBuffer optimizerValues = FloatBuffer.allocate(optimizer);
        for (float[] block : blocks) {
            int split = Math.min(block.length, parameterValues.remaining());
            parameterValues.put(block, 0, split);
            optimizerValues.put(block, split, block.length - split);
        }
        return new Weights(parameterValues.array(), optimizerValues.array());
    }
}
