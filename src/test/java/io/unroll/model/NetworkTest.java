package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.bytedeco.dnnl.global.dnnl;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NetworkTest {
    private static final int VOCABULARY = 7;
    private static final int LANES = 3;
    static final String DROPOUTS = "dropout = 0.4, input-dropout = 0.2, weight-dropout = 0.3";
    private static final String SMALL = "layers = 2, hidden = 5, embedding = 4";

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void lossAndStateEqualTheReference(String cell) {
        try (Network network = new Network(shape(cell + ", " + DROPOUTS + ", label-smoothing = 0.1"), 1)) {
            double[] parameters = doubles(network.parameters());
            double[][] state = new double[cell.contains("lstm") ? 4 : 2][LANES * 5];
            for (int chunk = 0; chunk < 3; chunk++) {
                Batch batch = batch(chunk, 4);
                double expected = new ReferenceNetwork(network.shape(), parameters).meanLoss(batch, state);
                assertEquals(expected, network.evaluate(batch).mean(), 1e-5);
            }
            float[][] carried = network.state().arrays();
            assertEquals(state.length, carried.length);
            for (int i = 0; i < state.length; i++) {
                assertArrayEquals(floats(state[i]), carried[i], 1e-5f);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void gradientOfTheSecondChunkUsesTheCarriedState(String cell) {
        try (Network network = new Network(shape(cell), 1)) {
            network.train(batch(0, 4), 0.1, 0, 0, 0);
            double[][] state = Arrays.stream(network.state().arrays())
                    .map(NetworkTest::doubles)
                    .toArray(double[][]::new);
            float[] parameters = network.parameters();
            Batch second = batch(1, 2);

            float[] gradient = network.gradient(second);

            assertArrayEquals(numericalGradient(network.shape(), parameters, second, state), gradient, 2e-6f);
        }
    }

    /** A lane of factor 2 counts like two lanes, and one of factor 0 not at all. */
    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void factorsOfLanesCountLikeCopies(String cell) {
        SplittableRandom random = new SplittableRandom(5);
        int[][] inputs = {tokens(random, 4), tokens(random, 4), tokens(random, 4)};
        int[][] targets = {tokens(random, 4), tokens(random, 4), tokens(random, 4)};
        targets[1][3] = Batch.IGNORED;
        Batch equal = lanes(inputs, targets, 0, 1, 2);
        // The gradient is that of the mean over 4 + 3 + 4 targets, and of 4 + 3 + 3 with copies.
        Batch weighted = equal.withGradientFactors(new float[] {1.1f, 2.2f, 0});
        try (Network network = new Network(shape(cell), 1)) {
            float[] copies = network.gradient(lanes(inputs, targets, 0, 1, 1));
            assertArrayEquals(copies, network.gradient(weighted), 1e-6f);
            Batch none = equal.withGradientFactors(new float[3]);
            assertArrayEquals(new float[network.parameters().length], network.gradient(none));
            assertEquals(network.evaluate(equal), network.evaluate(weighted));
        }
        for (Batch piece : weighted.pieces(3)) {
            assertArrayEquals(weighted.gradientFactors(), piece.gradientFactors());
        }
    }

    private static int[] tokens(SplittableRandom random, int count) {
        return random.ints(count, 0, VOCABULARY).toArray();
    }

    private static Batch lanes(int[][] inputs, int[][] targets, int... lanes) {
        int[] in =
                IntStream.of(lanes).flatMap(lane -> IntStream.of(inputs[lane])).toArray();
        int[] out =
                IntStream.of(lanes).flatMap(lane -> IntStream.of(targets[lane])).toArray();
        return new Batch(lanes.length, 4, in, out, new int[] {4, 4, 4});
    }

    private static float[] numericalGradient(NetworkShape shape, float[] original, Batch batch, double[][] state) {
        double step = 1e-5;
        float[] gradient = new float[original.length];
        for (int i = 0; i < original.length; i++) {
            double[] moved = doubles(original);
            moved[i] = original[i] + step;
            double above = new ReferenceNetwork(shape, moved).meanLoss(batch, copy(state));
            moved[i] = original[i] - step;
            double below = new ReferenceNetwork(shape, moved).meanLoss(batch, copy(state));
            gradient[i] = (float) ((above - below) / (2 * step));
        }
        return gradient;
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void savedNetworkGivesTheSameProbabilitiesInDeeplearning4j(String cell) throws IOException {
        try (Network network = new Network(shape(cell), 1)) {
            network.train(batch(0, 4), 0.1, 0, 0, 0);
            network.setState(RecurrentState.ZERO);
            ByteArrayOutputStream zip = new ByteArrayOutputStream();
            NetworkZip.write(network.shape(), network.parameters(), network.optimizerState(), zip);

            MultiLayerNetwork stock =
                    ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip.toByteArray()), true);
            for (int token = 0; token < VOCABULARY; token++) {
                INDArray input = Nd4j.createFromArray(new int[][] {{token}});
                float[] expected = stock.rnnTimeStep(input).dup().data().asFloat();
                assertArrayEquals(expected, softmax(network.nextLogits(token)), 1e-6f);
            }
            ParameterOrder order = network.shape().order();
            assertArrayEquals(
                    order.toDeeplearning4j(network.optimizerState()),
                    stock.getUpdater().getStateViewArray().dup().data().asFloat());
            assertArrayEquals(
                    network.parameters(),
                    NetworkZip.readParameters(network.shape(), 2, new ByteArrayInputStream(zip.toByteArray())));
        }
    }

    @Test
    void equalWeightsAreSavedAsEqualBytes() throws IOException {
        try (Network network = new Network(shape("cell = lstm"), 1)) {
            ByteArrayOutputStream first = new ByteArrayOutputStream();
            ByteArrayOutputStream second = new ByteArrayOutputStream();
            NetworkZip.write(network.shape(), network.parameters(), network.optimizerState(), first);
            NetworkZip.write(network.shape(), network.parameters(), network.optimizerState(), second);

            assertArrayEquals(first.toByteArray(), second.toByteArray());
            ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(first.toByteArray()));
            int entries = 0;
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                assertEquals(timeless().getTime(), entry.getTime(), "time stamp");
                entries++;
            }
            assertEquals(3, entries);
        }
    }

    private static ZipEntry timeless() {
        ZipEntry entry = new ZipEntry("any");
        entry.setTime(0);
        return entry;
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void trainingResumesExactlyFromWeightsOptimizerAndState(String cell) {
        NetworkShape withDropout = shape(cell + ", " + DROPOUTS);
        try (Network first = new Network(withDropout, 1);
                Network second = new Network(withDropout, 2)) {
            first.train(batch(0, 4), 0.01, 5, 0, 10);
            second.setParameters(first.parameters());
            second.setOptimizerState(first.optimizerState());
            second.setState(first.state());

            Network.Step a = first.train(batch(1, 4), 0.01, 5, 1, 11);
            Network.Step b = second.train(batch(1, 4), 0.01, 5, 1, 11);

            assertEquals(a, b);
            assertArrayEquals(first.parameters(), second.parameters());
        }
    }

    @Test
    void dropoutDependsOnItsSeed() {
        try (Network network = new Network(shape("dropout = 0.5"), 1)) {
            float[] start = network.parameters();
            double[] losses = IntStream.of(1, 2, 1)
                    .mapToDouble(seed -> {
                        network.setParameters(start);
                        network.setState(RecurrentState.ZERO);
                        return network.train(batch(0, 4), 0.01, 0, 0, seed)
                                .loss()
                                .sum();
                    })
                    .toArray();

            assertEquals(losses[0], losses[2]);
            assertTrue(losses[0] != losses[1]);
        }
    }

    @Test
    void gradientNormIsClipped() {
        try (Network network = new Network(sgd(), 1)) {
            float[] before = network.parameters();
            Network.Step step = network.train(batch(0, 4), 1, 0.01, 0, 0);
            float[] after = network.parameters();

            double moved = Math.sqrt(IntStream.range(0, before.length)
                    .mapToDouble(i -> Math.pow(after[i] - before[i], 2))
                    .sum());
            assertTrue(step.clipped() && step.gradientNorm() > 0.01);
            assertEquals(0.01, moved, 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void gradientWithDropoutIsTheSlopeOfTheLoss(String cell) {
        try (Network network = new Network(shape(cell + ", " + DROPOUTS), 1)) {
            assertNormIsTheSlope(network, batch(0, 4));
        }
    }

    /** Fails if the backward pass uses another dropout mask than the forward pass: then the slope differs. */
    static void assertNormIsTheSlope(Network network, Batch batch) {
        float[] original = network.parameters();
        for (int i = 0; i < original.length; i++) {
            // Away from biases of 0, where relu has no slope if all inputs are dropped.
            original[i] += (float) (0.05 * Math.sin(i));
        }
        network.setParameters(original);
        Nd4j.getRandom().setSeed(3);
        float[] gradient = network.gradient(batch);
        double norm = Math.sqrt(IntStream.range(0, original.length)
                .mapToDouble(i -> (double) gradient[i] * gradient[i])
                .sum());
        double step = 3e-3;
        double[] losses = IntStream.of(1, -1)
                .mapToDouble(sign -> {
                    float[] moved = original.clone();
                    for (int i = 0; i < moved.length; i++) {
                        moved[i] += (float) (sign * step * gradient[i] / norm);
                    }
                    network.setParameters(moved);
                    network.setState(RecurrentState.ZERO);
                    return network.train(batch, 0.01, 0, 0, 3).loss().mean();
                })
                .toArray();

        assertEquals(norm, (losses[0] - losses[1]) / (2 * step), 0.01 * norm);
    }

    /** Cross-entropy is linear in the labels, so its gradient is, too. */
    @Test
    void labelSmoothingMixesInTheMeanGradientOfAllLabels() {
        Batch batch = batch(0, 4);
        try (Network plain = new Network(shape("cell = lstm"), 1);
                Network smoothing = new Network(shape("cell = lstm, label-smoothing = 0.3"), 1)) {
            float[] expected = plain.gradient(batch);
            for (int i = 0; i < expected.length; i++) {
                expected[i] *= 0.7f;
            }
            for (int label = 0; label < VOCABULARY; label++) {
                int replacement = label;
                int[] targets = IntStream.of(batch.targets())
                        .map(target -> target == Batch.IGNORED ? target : replacement)
                        .toArray();
                plain.setState(RecurrentState.ZERO);
                float[] gradient = plain.gradient(new Batch(LANES, 4, batch.inputs(), targets));
                for (int i = 0; i < expected.length; i++) {
                    expected[i] += 0.3f / VOCABULARY * gradient[i];
                }
            }

            assertArrayEquals(expected, smoothing.gradient(batch), 1e-6f);
            plain.setState(RecurrentState.ZERO);
            smoothing.setState(RecurrentState.ZERO);
            assertEquals(
                    plain.train(batch, 0.01, 0, 0, 0).loss(),
                    smoothing.train(batch, 0.01, 0, 0, 0).loss());
        }
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void bfloat16LossIsNearFloat32Loss(String cell) {
        int emulates = dnnl.dnnl_cpu_isa_avx512_core;
        assumeTrue((dnnl.dnnl_get_effective_cpu_isa() & emulates) == emulates, "needs AVX-512");
        String wide = "layers = 2, hidden = 48, embedding = 48, " + cell.replace("embedding = 5", "embedding = 48");
        try (Network exact = new Network(shape(wide), 1);
                Network rounded = new Network(shape(wide + ", precision = bfloat16, emulate-bfloat16 = true"), 1)) {
            for (int i = 0; i < 10; i++) {
                double expected =
                        exact.train(batch(i % 4, 9), 0.005, 5, i, 0).loss().mean();
                double actual =
                        rounded.train(batch(i % 4, 9), 0.005, 5, i, 0).loss().mean();
                assertEquals(expected, actual, 0.03 * expected, "step " + i);
            }
            assertTrue(!Arrays.equals(exact.parameters(), rounded.parameters()));
        }
    }

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void stepsTrainLikePrimitives(String cell) {
        String dropouts = cell + ", " + DROPOUTS;
        try (Network primitives = new Network(shape(dropouts + ", recurrence = primitives"), 1);
                Network steps = new Network(shape(dropouts + ", recurrence = steps"), 1)) {
            for (int i = 0; i < 30; i++) {
                double expected = primitives
                        .train(batch(i % 4, 9), 0.005, 5, i, i + 1)
                        .loss()
                        .mean();
                double actual =
                        steps.train(batch(i % 4, 9), 0.005, 5, i, i + 1).loss().mean();
                assertEquals(expected, actual, 1e-3 * expected, "step " + i);
            }
            double expected = primitives.evaluate(batch(0, 9)).mean();
            assertEquals(expected, steps.evaluate(batch(0, 9)).mean(), 1e-3 * expected);
            // With relu, sums of so few numbers are rounded equally.
            assertTrue(cell.contains("relu") || !Arrays.equals(primitives.parameters(), steps.parameters()));
        }
    }

    /** A network is used by one thread at a time, but several threads may use one network each. */
    @Test
    void networksInSeveralThreadsComputeTheSameAsAlone() throws Exception {
        NetworkShape shape = shape("cell = lstm, hidden = 33, embedding = 17, " + DROPOUTS);
        float[] alone = trained(shape);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<float[]>> tasks = Collections.nCopies(8, () -> trained(shape));
            for (Future<float[]> result : threads.invokeAll(tasks)) {
                assertArrayEquals(alone, result.get());
            }
        } finally {
            threads.shutdown();
        }
    }

    private static float[] trained(NetworkShape shape) {
        try (Network network = new Network(shape, 1)) {
            for (int i = 0; i < 30; i++) {
                network.train(batch(i, 6), 0.01, 5, i, i + 1);
            }
            return network.parameters();
        }
    }

    @Test
    void twoThreadsComputeTheSameExceptForRounding() {
        NetworkShape oneThread = shape("cell = lstm, hidden = 65, embedding = 33");
        NetworkShape twoThreads = new NetworkShape(oneThread.model(), oneThread.vocabulary(), oneThread.optimizer(), 2);

        assertArrayEquals(trained(oneThread), trained(twoThreads), 1e-3f);
        assertArrayEquals(trained(twoThreads), trained(twoThreads));
    }

    private static NetworkShape sgd() {
        return TestShapes.shape(VOCABULARY, SMALL, Settings.Optimizer.SGD);
    }

    private static NetworkShape shape(String model) {
        return TestShapes.shape(VOCABULARY, SMALL + ", " + model);
    }

    /** About one third of the targets is ignored. */
    private static Batch batch(int seed, int steps) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] inputs = random.ints((long) LANES * steps, 0, VOCABULARY).toArray();
        int[] targets = random.ints((long) LANES * steps, 0, VOCABULARY)
                .map(target -> random.nextInt(3) == 0 ? Batch.IGNORED : target)
                .toArray();
        return new Batch(LANES, steps, inputs, targets);
    }

    private static float[] softmax(float[] logits) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        float[] result = new float[logits.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) (Math.exp(logits[i]) / sum);
        }
        return result;
    }

    private static double[][] copy(double[][] state) {
        return Arrays.stream(state).map(double[]::clone).toArray(double[][]::new);
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static float[] floats(double[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (float) values[i];
        }
        return result;
    }
}
