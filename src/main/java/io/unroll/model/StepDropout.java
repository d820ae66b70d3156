package io.unroll.model;

import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Deeplearning4j's dropout on arrays {@code [steps, lanes, features]}. */
final class StepDropout {
    private StepDropout() {}

    /** @return what is kept */
    static INDArray apply(IDropout dropout, INDArray values, INDArray kept, LayerWorkspaceMgr workspaces) {
        dropout.applyDropout(seen(dropout, values), seen(dropout, kept), 0, 0, workspaces);
        return kept;
    }

    /** @param gradient with respect to what was kept; it becomes that with respect to the values */
    static void backward(IDropout dropout, INDArray gradient) {
        INDArray seen = seen(dropout, gradient);
        dropout.backprop(seen, seen, 0, 0);
    }

    /** Only what drops features in all steps alike asks which dimension is which: {@code [batch, features, time]}. */
    private static INDArray seen(IDropout dropout, INDArray steps) {
        return dropout instanceof SpatialDropout ? steps.permute(1, 2, 0) : steps;
    }
}
