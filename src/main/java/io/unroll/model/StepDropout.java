package io.unroll.model;

import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Deeplearning4j's dropout on arrays {@code [steps, lanes, features]}, row by row. */
final class StepDropout {
    private final DropMask mask;
    private final boolean locked;

    private StepDropout(double kept, boolean locked) {
        this.mask = new DropMask(1 - kept);
        this.locked = locked;
    }

    /** @return null for none */
    static StepDropout of(IDropout configured) {
        if (configured instanceof SpatialDropout spatial) {
            return new StepDropout(spatial.getP(), true);
        }
        return configured == null ? null : new StepDropout(((Dropout) configured).getP(), false);
    }

    /** @param kept is overwritten with what is kept */
    void forward(INDArray values, INDArray kept) {
        mask.draw();
        apply(values, kept);
    }

    /** @param gradient with respect to what was kept; it becomes that with respect to the values */
    void backward(INDArray gradient) {
        apply(gradient, gradient);
    }

    private void apply(INDArray from, INDArray to) {
        long alike = locked ? from.size(1) * from.size(2) : from.length();
        for (long start = 0; start < from.length(); start += alike) {
            mask.apply(Floats.of(from).getPointer(start), Floats.of(to).getPointer(start), alike);
        }
    }
}
