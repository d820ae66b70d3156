package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StepDropoutTest {
    private static final int LANES = 5;
    private static final int FEATURES = 40;

    /** Deeplearning4j's locked dropout takes arrays {@code [lanes, features, steps]}. */
    @ParameterizedTest
    @CsvSource({"0.25, 6, false", "0.25, 6, true", "0.6, 1, false", "0.6, 1, true", "0.001, 3, true"})
    void equalsDeeplearning4jsDropout(double probability, int steps, boolean locked) {
        INDArray values = Nd4j.linspace(-2, 3, (long) steps * LANES * FEATURES, DataType.FLOAT)
                .reshape('c', steps, LANES, FEATURES);
        IDropout stock = locked ? new SpatialDropout(1 - probability) : new Dropout(1 - probability);
        int[] order = locked ? new int[] {1, 2, 0} : new int[] {0, 1, 2};
        try (StepWorkspace workspace = new StepWorkspace()) {
            StepDropout ours = new StepDropout(probability, locked, workspace);
            for (int step = 0; step < 3; step++) {
                workspace.restart();
                INDArray expected = Nd4j.create(DataType.FLOAT, values.shape());
                INDArray expectedGradient = values.mul(7);
                Nd4j.getRandom().setSeed(step + 1);
                stock.applyDropout(
                        values.permute(order), expected.permute(order), 0, 0, LayerWorkspaceMgr.noWorkspaces());
                stock.backprop(expectedGradient.permute(order), expectedGradient.permute(order), 0, 0);

                Nd4j.getRandom().setSeed(step + 1);
                INDArray gradient = values.mul(7);
                assertEquals(expected, ours.apply(values));
                ours.backward(gradient);
                assertEquals(expectedGradient, gradient);
            }
        }
    }

    @Test
    void lockedDropoutDropsTheSameFeaturesInAllSteps() {
        INDArray kept = kept(true);
        for (int lane = 0; lane < LANES; lane++) {
            for (int feature = 0; feature < FEATURES; feature++) {
                for (int step = 1; step < kept.size(0); step++) {
                    assertEquals(kept.getFloat(0, lane, feature), kept.getFloat(step, lane, feature));
                }
            }
        }
        assertTrue(differ(kept, 0, 1), "all lanes drop the same features");
    }

    @Test
    void plainDropoutDropsOtherFeaturesInEachStep() {
        assertTrue(differ(kept(false), 1, 0), "all steps drop the same features");
    }

    @Test
    void probabilityZeroChangesNothingAndDrawsNoRandomNumbers() {
        try (StepWorkspace workspace = new StepWorkspace()) {
            StepDropout dropout = new StepDropout(0, false, workspace);
            INDArray ones = Nd4j.ones(DataType.FLOAT, 2, LANES, FEATURES);
            Nd4j.getRandom().setSeed(5);
            long first = Nd4j.getRandom().nextLong();
            Nd4j.getRandom().setSeed(5);
            assertSame(ones, dropout.apply(ones));
            assertEquals(first, Nd4j.getRandom().nextLong());
            dropout.backward(ones);
            assertEquals(Nd4j.ones(DataType.FLOAT, 2, LANES, FEATURES), ones);
        }
    }

    /** @return an array of ones after dropout with the probability 1/4 */
    private static INDArray kept(boolean locked) {
        Nd4j.getRandom().setSeed(5);
        try (StepWorkspace workspace = new StepWorkspace()) {
            INDArray kept =
                    new StepDropout(0.25, locked, workspace).apply(Nd4j.ones(DataType.FLOAT, 6, LANES, FEATURES));
            double share = kept.gt(0).castTo(DataType.FLOAT).meanNumber().doubleValue();
            assertEquals(0.75, share, 0.1);
            assertEquals(1 / 0.75, kept.maxNumber().doubleValue(), 1e-6);
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
