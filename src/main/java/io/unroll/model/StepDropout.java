package io.unroll.model;

import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Applies Deeplearning4j's dropout to arrays {@code [steps, lanes, features]}. */
final class StepDropout {
    private StepDropout() {}

    /** @return {@code result}, which has been overwritten with the values after dropout */
    static INDArray apply(IDropout dropout, INDArray values, INDArray result, LayerWorkspaceMgr workspaces) {
        dropout.applyDropout(view(dropout, values), view(dropout, result), 0, 0, workspaces);
        return result;
    }

    /** @param gradient with respect to the result; overwritten with that with respect to the values */
    static void backward(IDropout dropout, INDArray gradient) {
        INDArray view = view(dropout, gradient);
        dropout.backprop(view, view, 0, 0);
    }

    /** @return {@code [batch, features, time]} for locked dropout, the only one that distinguishes the dimensions */
    private static INDArray view(IDropout dropout, INDArray steps) {
        return dropout instanceof SpatialDropout ? steps.permute(1, 2, 0) : steps;
    }
}
