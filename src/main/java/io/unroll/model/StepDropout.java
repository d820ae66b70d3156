package io.unroll.model;

import io.unroll.config.UnrollException;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What Deeplearning4j's Dropout and SpatialDropout do, on arrays {@code [steps, lanes, features]}, row by row. */
final class StepDropout {
    private final DropMask mask;
    private final boolean locked;

    private StepDropout(double kept, boolean locked) {
        this.mask = new DropMask(1 - kept);
        this.locked = locked;
    }

    /** @return null for none */
    static StepDropout of(IDropout configured) {
        if (!supports(configured)) {
            throw new UnrollException("a layer drops by " + configured
                    + ": Unroll's own can do so by Dropout and SpatialDropout of one probability.");
        }
        if (configured instanceof SpatialDropout spatial) {
            return new StepDropout(spatial.getP(), true);
        }
        return configured == null ? null : new StepDropout(((Dropout) configured).getP(), false);
    }

    /** @return whether this class does what is configured: it knows neither noise nor schedules */
    static boolean supports(IDropout configured) {
        return configured == null
                || (configured instanceof Dropout each && each.getPSchedule() == null)
                || (configured instanceof SpatialDropout alike && alike.getPSchedule() == null);
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
