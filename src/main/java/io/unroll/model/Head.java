package io.unroll.model;

import io.unroll.chunk.Batch;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The part of a network between the recurrent layers and the output layer. */
interface Head {
    /** Head of a network that predicts a token at each step, without attention. */
    Head TOKENS = new Head() {};

    /**
     * @param states outputs of the highest recurrent layer, {@code [steps, lanes, hidden]}, row-major, which must not
     *     change before the backward pass
     * @return input of the output layer, {@code [steps, lanes, hidden]}, or {@code [1, lanes, hidden]} with pooling
     */
    default INDArray forward(INDArray states, Batch batch) {
        return states;
    }

    /**
     * Computes the gradients of the last {@link #forward} and adds that of the parameters to their gradient.
     *
     * @param outputGradient gradient with respect to the result
     * @return gradient with respect to the states
     */
    default INDArray backward(INDArray outputGradient) {
        return outputGradient;
    }

    /** @return the targets of the rows of {@link #forward}'s result */
    default int[] targets(Batch batch) {
        return timeMajor(batch, batch.targets());
    }

    /** @return the numbers {@code [lanes, steps]} in the order {@code [steps, lanes]} */
    static int[] timeMajor(Batch batch, int[] numbers) {
        int[] result = new int[numbers.length];
        for (int lane = 0; lane < batch.lanes(); lane++) {
            for (int step = 0; step < batch.steps(); step++) {
                result[step * batch.lanes() + lane] = numbers[lane * batch.steps() + step];
            }
        }
        return result;
    }

    /** @param states for each lane the encoder's states {@code [tokens, hidden]}, row-major */
    default void setSources(float[][] states) {}

    /** @param sources for each lane of the next batches the index of its source among those of {@link #setSources} */
    default void selectSources(int[] sources) {}

    /** @return the last {@link #backward}'s gradient with respect to the states of {@link #setSources} */
    default float[][] sourceGradient() {
        return new float[0][];
    }
}
