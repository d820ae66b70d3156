package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Batch;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SoftmaxKernelTest {
    /** The last two cases need several blocks: equal ones, and a shorter last one. */
    @ParameterizedTest
    @CsvSource({"7, 5, 12, 12, 0, 0", "5, 96, 64, 64, 0.1, 16", "3, 60000, 300, 150, 0, 4", "3, 60000, 283, 279, 0.1, 0"
    })
    void lossAndGradientsEqualTheReference(
            int hidden, int vocabulary, int rows, int blockRows, double smoothing, int lanes) {
        SplittableRandom random = new SplittableRandom(3);
        var shape = new SoftmaxKernel.Shape(hidden, vocabulary, rows, false, true);
        float[] weights = floats(random, vocabulary * hidden);
        float[] bias = floats(random, vocabulary);
        float[] h = floats(random, rows * hidden);
        int[] targets = random.ints(rows, 0, vocabulary).toArray();
        targets[1] = Batch.IGNORED;
        float[] factors = floats(random, lanes);
        Reference reference = new Reference(shape, smoothing, weights, bias, h, targets, factors);
        FloatPointer dHidden = new FloatPointer(new float[h.length]);
        FloatPointer dWeights = new FloatPointer(new float[weights.length]);
        FloatPointer dBias = new FloatPointer(new float[vocabulary]);

        try (KernelMemory kernelMemory = new KernelMemory();
                SoftmaxKernel kernel = new SoftmaxKernel(shape, smoothing, kernelMemory)) {
            kernel.pack(new SoftmaxKernel.Parameters(new FloatPointer(weights), new FloatPointer(bias)));
            double loss = kernel.train(
                    new FloatPointer(h), targets, factors, dHidden, new SoftmaxKernel.Parameters(dWeights, dBias));

            assertEquals(blockRows, shape.blockRows());
            assertEquals(reference.loss, loss, 1e-5 * reference.loss);
            assertEquals(reference.loss, kernel.loss(new FloatPointer(h), targets), 1e-5 * reference.loss);
            assertClose(reference.dHidden, dHidden);
            assertClose(reference.dWeights, dWeights);
            assertClose(reference.dBias, dBias);
        }
    }

    private static void assertClose(double[] expected, FloatPointer actual) {
        float[] values = new float[expected.length];
        actual.get(values);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], values[i], 1e-5 * Math.max(1, Math.abs(expected[i])));
        }
    }

    private static float[] floats(SplittableRandom random, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }

    /** The same loss and gradients, computed number by number in double precision. */
    private static final class Reference {
        private double loss;
        private final double[] dHidden;
        private final double[] dWeights;
        private final double[] dBias;

        Reference(
                SoftmaxKernel.Shape shape,
                double smoothing,
                float[] weights,
                float[] bias,
                float[] h,
                int[] targets,
                float[] factors) {
            int hidden = shape.hidden();
            int vocabulary = shape.vocabulary();
            dHidden = new double[h.length];
            dWeights = new double[weights.length];
            dBias = new double[vocabulary];
            for (int row = 0; row < shape.rows(); row++) {
                if (targets[row] == Batch.IGNORED) {
                    continue;
                }
                double[] p = new double[vocabulary];
                for (int token = 0; token < vocabulary; token++) {
                    double logit = bias[token];
                    for (int i = 0; i < hidden; i++) {
                        logit += (double) h[row * hidden + i] * weights[token * hidden + i];
                    }
                    p[token] = Math.exp(logit);
                }
                double sum = Arrays.stream(p).sum();
                loss -= Math.log(p[targets[row]] / sum);
                for (int token = 0; token < vocabulary; token++) {
                    double label = smoothing / vocabulary + (token == targets[row] ? 1 - smoothing : 0);
                    double d = (p[token] / sum - label) * (factors.length == 0 ? 1 : factors[row % factors.length]);
                    dBias[token] += d;
                    for (int i = 0; i < hidden; i++) {
                        dHidden[row * hidden + i] += d * weights[token * hidden + i];
                        dWeights[token * hidden + i] += d * h[row * hidden + i];
                    }
                }
            }
        }
    }
}
