package io.unroll.model;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.random.impl.DropOutInverted;
import org.nd4j.linalg.factory.Broadcast;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Dropout of arrays {@code [steps, lanes, features]}, with the same masks as Deeplearning4j's dropout. With locked
 * dropout, all steps of a lane have the same mask.
 */
final class StepDropout {
    private final double probability;
    private final boolean locked;
    private final StepWorkspace workspace;
    private INDArray mask;

    /** @param probability of dropping a number */
    StepDropout(double probability, boolean locked, StepWorkspace workspace) {
        this.probability = probability;
        this.locked = locked;
        this.workspace = workspace;
    }

    /** @return the values after dropout with a new mask */
    INDArray apply(INDArray values) {
        if (probability == 0) {
            return values;
        }
        long[] shape = values.shape();
        mask = (locked ? workspace.array(shape[1], shape[2]) : workspace.array(shape)).assign(1);
        Nd4j.getExecutioner().exec(new DropOutInverted(mask, 1 - probability));
        return multiplyByMask(values, workspace.array(shape));
    }

    /** @param gradient with respect to the last result; overwritten with that with respect to the values */
    void backward(INDArray gradient) {
        if (probability > 0) {
            multiplyByMask(gradient, gradient);
        }
    }

    private INDArray multiplyByMask(INDArray values, INDArray result) {
        return locked ? Broadcast.mul(values, mask, result, 1, 2) : values.muli(mask, result);
    }
}
