package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StepDropoutTest {
    private static final int STEPS = 6;
    private static final int LANES = 5;
    private static final int FEATURES = 40;

    @Test
    void lockedDropoutDropsTheSameFeaturesInAllSteps() {
        INDArray kept = kept(new SpatialDropout(0.75));
        for (int lane = 0; lane < LANES; lane++) {
            for (int feature = 0; feature < FEATURES; feature++) {
                for (int step = 1; step < STEPS; step++) {
                    assertEquals(kept.getFloat(0, lane, feature), kept.getFloat(step, lane, feature));
                }
            }
        }
        assertTrue(differ(kept, 0, 1), "all lanes drop the same features");
    }

    @Test
    void plainDropoutDropsOtherFeaturesInEachStep() {
        assertTrue(differ(kept(new Dropout(0.75)), 1, 0), "all steps drop the same features");
    }

    /** @return an array of ones after dropout; also checks that the gradient has the same mask */
    private static INDArray kept(IDropout dropout) {
        Nd4j.getRandom().setSeed(5);
        try (StepWorkspace workspace = new StepWorkspace()) {
            INDArray ones = Nd4j.ones(DataType.FLOAT, STEPS, LANES, FEATURES);
            INDArray kept = StepDropout.apply(dropout, ones, Nd4j.create(DataType.FLOAT, ones.shape()), workspace);
            double share = kept.gt(0).castTo(DataType.FLOAT).meanNumber().doubleValue();
            assertEquals(0.75, share, 0.1);
            assertEquals(1 / 0.75, kept.maxNumber().doubleValue(), 1e-6);
            INDArray gradient = ones.dup('c');
            StepDropout.backward(dropout, gradient);
            assertEquals(kept, gradient);
            return kept.dup();
        }
    }

    /** @return whether this step and lane keep other features than the first step of the first lane */
    private static boolean differ(INDArray kept, int step, int lane) {
        for (int feature = 0; feature < FEATURES; feature++) {
            if (kept.getFloat(0, 0, feature) != kept.getFloat(step, lane, feature)) {
                return true;
            }
        }
        return false;
    }
}
