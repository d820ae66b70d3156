package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Batch;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class PooledNetworkTest {
    private static final int VOCABULARY = 7;
    private static final int LABELS = 3;
    private static final int STEPS = 5;
    private static final int[] LENGTHS = {5, 1, 3, 4};

    static Stream<Arguments> cellsAndPoolings() {
        return TestShapes.cells()
                .filter(cell -> !cell.contains("tied"))
                .flatMap(cell -> Stream.of(Settings.Pooling.values()).map(pooling -> Arguments.of(cell, pooling)));
    }

    @ParameterizedTest
    @MethodSource("cellsAndPoolings")
    void lossAndGradientEqualTheReference(String cell, Settings.Pooling pooling) {
        try (Network network = new Network(shape(cell, pooling), 1)) {
            Batch batch = batch(0);
            float[] parameters = network.parameters();
            double[] original = new double[parameters.length];
            Arrays.setAll(original, i -> parameters[i]);

            double expected = new ReferenceNetwork(network.shape(), original).meanPooledLoss(batch);
            float[] numerical = new float[original.length];
            for (int i = 0; i < original.length; i++) {
                double[] moved = original.clone();
                moved[i] = original[i] + 1e-5;
                double above = new ReferenceNetwork(network.shape(), moved).meanPooledLoss(batch);
                moved[i] = original[i] - 1e-5;
                double below = new ReferenceNetwork(network.shape(), moved).meanPooledLoss(batch);
                numerical[i] = (float) ((above - below) / 2e-5);
            }

            assertEquals(expected, network.evaluate(batch).mean(), 1e-5);
            assertArrayEquals(numerical, network.gradient(batch), 2e-6f);
        }
    }

    /** A row of factor 2 counts like two rows, and one of factor 0 not at all. */
    @ParameterizedTest
    @MethodSource("cellsAndPoolings")
    void factorsOfRowsCountLikeCopies(String cell, Settings.Pooling pooling) {
        Batch batch = batch(0);
        int[] inputs = batch.inputs().clone();
        int[] targets = batch.targets().clone();
        int[] lengths = LENGTHS.clone();
        System.arraycopy(inputs, 0, inputs, STEPS, STEPS);
        targets[1] = targets[0];
        lengths[1] = lengths[0];
        Batch copies = new Batch(LENGTHS.length, STEPS, inputs, targets, lengths);
        try (Network network = new Network(shape(cell, pooling), 1)) {
            Batch weighted = batch.withGradientFactors(new float[] {2, 0, 1, 1});
            assertArrayEquals(network.gradient(copies), network.gradient(weighted), 1e-6f);
        }
    }

    @ParameterizedTest
    @MethodSource("cellsAndPoolings")
    void paddingDoesNotChangeTheLogits(String cell, Settings.Pooling pooling) {
        try (Network network = new Network(shape(cell, pooling), 1)) {
            Batch batch = batch(0);
            int[] inputs = batch.inputs().clone();
            for (int lane = 0; lane < LENGTHS.length; lane++) {
                for (int step = LENGTHS[lane]; step < STEPS; step++) {
                    inputs[lane * STEPS + step] = (inputs[lane * STEPS + step] + 1) % VOCABULARY;
                }
            }
            Batch changed = new Batch(LENGTHS.length, STEPS, inputs, batch.targets(), LENGTHS);

            assertArrayEquals(network.logits(batch), network.logits(changed));
        }
    }

    @ParameterizedTest
    @MethodSource("cellsAndPoolings")
    void savedNetworkGivesTheSameProbabilitiesInDeeplearning4j(String cell, Settings.Pooling pooling)
            throws IOException {
        try (Network network = new Network(shape(cell, pooling), 1)) {
            Batch batch = batch(0);
            network.train(batch, 0.1, 0, 0, 0);
            ByteArrayOutputStream zip = new ByteArrayOutputStream();
            NetworkZip.write(network.shape(), network.parameters(), network.optimizerState(), zip);
            MultiLayerNetwork stock =
                    ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip.toByteArray()), true);
            for (int lane = 0; lane < LENGTHS.length; lane++) {
                int[] tokens = Arrays.copyOfRange(batch.inputs(), lane * STEPS, lane * STEPS + LENGTHS[lane]);
                INDArray expected = stock.output(Nd4j.createFromArray(new int[][] {tokens}));
                Batch alone = new Batch(1, tokens.length, tokens, new int[1], new int[] {tokens.length});

                INDArray logits = Nd4j.createFromArray(network.logits(alone)).reshape(1, LABELS);
                assertArrayEquals(
                        expected.dup().data().asFloat(),
                        Nd4j.nn().softmax(logits, 1).data().asFloat(),
                        1e-6f);
            }
        }
    }

    private static NetworkShape shape(String cell, Settings.Pooling pooling) {
        String model = "layers = 2, hidden = 5, embedding = 4, pooling = " + SettingNames.kebab(pooling) + ", " + cell;
        NetworkShape plain = TestShapes.shape(VOCABULARY, model);
        return new NetworkShape(plain.model(), VOCABULARY, LABELS, true, plain.optimizer(), 1);
    }

    private static Batch batch(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] inputs = new int[LENGTHS.length * STEPS];
        int[] labels = new int[LENGTHS.length];
        Arrays.setAll(inputs, i -> random.nextInt(VOCABULARY));
        Arrays.setAll(labels, i -> random.nextInt(LABELS));
        return new Batch(LENGTHS.length, STEPS, inputs, labels, LENGTHS);
    }
}
