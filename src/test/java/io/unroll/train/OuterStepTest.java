package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class OuterStepTest {
    private static final float[] EMPTY = {};

    @Test
    void weightsTheMeanByTokens() {
        WeightedMean mean = new WeightedMean(2);
        mean.add(new float[] {1, 10}, 100);
        mean.add(new float[] {5, -2}, 300);

        assertArrayEquals(new float[] {4, 1}, mean.value());
    }

    @Test
    void methodMeanReturnsTheExactMean() {
        OuterStep step = OuterStep.take(
                new OuterStep(new float[] {0.1f, 3}, EMPTY), new float[] {0.7f, 1e-8f}, averaging("mean"));

        assertArrayEquals(new float[] {0.7f, 1e-8f}, step.start());
        assertEquals(0, step.velocity().length);
        assertArrayEquals(step.start(), step.weights(averaging("mean")));
    }

    /** Computes the equations of Chen and Huo 2016: the change G(t), the weights W(t) and the broadcast look-ahead. */
    @Test
    void bmufMatchesItsPaper() {
        double momentum = 0.75;
        double weights = 2;
        double delta = 0;
        double broadcast = 2;
        OuterStep step = new OuterStep(new float[] {2}, EMPTY);
        Settings.Averaging averaging = averaging("bmuf");
        SplittableRandom random = new SplittableRandom(4);
        for (int round = 0; round < 20; round++) {
            double mean = broadcast + random.nextDouble(-1, 1);
            delta = momentum * delta + (mean - broadcast);
            weights = weights + delta;
            broadcast = weights + momentum * delta;

            step = OuterStep.take(step, new float[] {(float) mean}, averaging);

            assertEquals(broadcast, step.start()[0], 1e-4);
            assertEquals(weights, step.weights(averaging)[0], 1e-4);
        }
    }

    /** Computes what torch.optim.SGD with nesterov=True does, with the gradient start - mean. */
    @Test
    void nesterovMatchesTorchSgd() {
        double start = 1;
        double buffer = 0;
        OuterStep step = new OuterStep(new float[] {1}, EMPTY);
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 20; round++) {
            double mean = start + random.nextDouble(-1, 1);
            double gradient = start - mean;
            buffer = round == 0 ? gradient : 0.9 * buffer + gradient;
            start -= 0.7 * (gradient + 0.9 * buffer);

            step = OuterStep.take(step, new float[] {(float) mean}, averaging("nesterov"));

            assertEquals(start, step.start()[0], 1e-4);
            assertArrayEquals(step.start(), step.weights(averaging("nesterov")));
        }
    }

    private static Settings.Averaging averaging(String method) {
        return SettingsReader.parse(
                        "run.directory = none, corpus.path = none, cluster { replicas = 4, averaging.method = " + method
                                + " }",
                        "test")
                .cluster()
                .averaging();
    }
}
