package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Batch;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.ArrayUtils;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.factory.Nd4j;

/** Networks with an encoder of token sequences. */
class EncodedNetworkTest {
    private static final int SOURCE_VOCABULARY = 6;
    private static final int VOCABULARY = 7;
    private static final int STEPS = 4;
    private static final int[][] SOURCES = {{1, 2, 3}, {4}, {5, 0, 2}, {3, 3}};
    private static final int[] LENGTHS = {4, 2, 3, 1};

    static Stream<String> networks() {
        return Stream.concat(
                TestShapes.cells(),
                Stream.of(
                        "cell = lstm, attention = general",
                        "cell = gru, attention = general",
                        "cell = lstm, attention = general, bidirectional = true",
                        "cell = gru, attention = general, bidirectional = true"));
    }

    @ParameterizedTest
    @MethodSource("networks")
    void lossAndGradientEqualTheReference(String cell) {
        try (Network network = new Network(shape(cell), 1)) {
            assertEqualsReference(network, 2e-6f);
        }
    }

    /** The scores differ so much that most attention weights become 0. */
    @Test
    void sharpAttentionEqualsTheReference() {
        try (Network network = new Network(shape("cell = lstm, attention = general"), 1)) {
            float[] parameters = network.parameters();
            int scoreWeights = network.shape().parts().get(2).start();
            int hidden = network.shape().model().hidden();
            for (int i = 0; i < scoreWeights + hidden * hidden; i++) {
                parameters[i] *= i < scoreWeights ? 3 : 500;
            }
            network.setParameters(parameters);
            assertEqualsReference(network, 1e-4f);
        }
    }

    @Test
    void nanScoresMakeTheLossNan() {
        try (Network network = new Network(shape("cell = lstm, attention = general"), 1)) {
            float[] parameters = network.parameters();
            int scoreWeights = network.shape().parts().get(2).start();
            int hidden = network.shape().model().hidden();
            Arrays.fill(parameters, scoreWeights, scoreWeights + hidden * hidden, Float.NaN);
            network.setParameters(parameters);
            assertEquals(Double.NaN, network.evaluate(batch(0)).mean());
        }
    }

    private static void assertEqualsReference(Network network, float tolerance) {
        Batch batch = batch(0);
        float[] parameters = network.parameters();
        double[] original = new double[parameters.length];
        Arrays.setAll(original, i -> parameters[i]);
        float[] numerical = new float[original.length];
        for (int i = 0; i < original.length; i++) {
            double[] moved = original.clone();
            moved[i] = original[i] + 1e-5;
            double above = referenceLoss(network.shape(), moved, batch);
            moved[i] = original[i] - 1e-5;
            numerical[i] = (float) ((above - referenceLoss(network.shape(), moved, batch)) / 2e-5);
        }

        assertEquals(
                referenceLoss(network.shape(), original, batch),
                network.evaluate(batch).mean(),
                1e-5);
        assertArrayEquals(numerical, network.gradient(batch), tolerance);
    }

    /** Mean loss of the reference: each lane is computed alone, from its encoder's last state. */
    private static double referenceLoss(NetworkShape shape, double[] allParameters, Batch batch) {
        Map<NetworkShape.Role, double[]> parameters = shape.parts().stream()
                .collect(Collectors.toMap(
                        NetworkShape.Part::role,
                        part -> Arrays.copyOfRange(allParameters, part.start(), part.start() + part.size())));
        NetworkShape encoder = (NetworkShape) shape.subnetworks().get(NetworkShape.Role.ENCODER);
        int arrays = shape.model().layers() * (shape.model().cell().name().equals("LSTM") ? 2 : 1);
        double sum = 0;
        int counted = 0;
        for (int lane = 0; lane < batch.lanes(); lane++) {
            int[] source = batch.sources()[lane];
            int length = batch.lengths()[lane];
            double[][] state = new double[arrays][shape.model().hidden()];
            int[] ignored = new int[source.length];
            Arrays.fill(ignored, Batch.IGNORED);
            new ReferenceNetwork(encoder, parameters.get(NetworkShape.Role.ENCODER))
                    .meanLoss(new Batch(1, source.length, source, ignored), state);
            int from = lane * batch.steps();
            Batch alone = new Batch(
                    1,
                    length,
                    Arrays.copyOfRange(batch.inputs(), from, from + length),
                    Arrays.copyOfRange(batch.targets(), from, from + length));
            ReferenceNetwork decoder = new ReferenceNetwork(shape, parameters.get(NetworkShape.Role.NETWORK));
            if (parameters.containsKey(NetworkShape.Role.ATTENTION)) {
                decoder.attendingTo(
                        tokenStates(encoder, parameters, source), parameters.get(NetworkShape.Role.ATTENTION));
            }
            sum += length * decoder.meanLoss(alone, state);
            counted += length;
        }
        return sum / counted;
    }

    /** @return for each token the encoder's state after it, or the sum of both encoders' states */
    private static double[][] tokenStates(
            NetworkShape encoder, Map<NetworkShape.Role, double[]> parameters, int[] source) {
        double[][] states = new ReferenceNetwork(encoder, parameters.get(NetworkShape.Role.ENCODER)).states(source);
        if (parameters.containsKey(NetworkShape.Role.ENCODER_FORWARD)) {
            int[] reversed = source.clone();
            ArrayUtils.reverse(reversed);
            double[][] reversedStates =
                    new ReferenceNetwork(encoder, parameters.get(NetworkShape.Role.ENCODER_FORWARD)).states(reversed);
            for (int token = 0; token < states.length; token++) {
                for (int i = 0; i < states[token].length; i++) {
                    states[token][i] += reversedStates[states.length - 1 - token][i];
                }
            }
        }
        return states;
    }

    @ParameterizedTest
    @MethodSource("networks")
    void encodingAndThenSteppingEqualsTheBatch(String cell) {
        try (Network network = new Network(shape(cell), 1)) {
            Batch batch = batch(1);
            float[] together = network.logits(batch);
            network.encode(SOURCES);
            float[] first = network.logits(new Batch(
                    SOURCES.length,
                    1,
                    new int[] {firstInput(batch, 0), firstInput(batch, 1), firstInput(batch, 2), firstInput(batch, 3)},
                    new int[4]));
            assertArrayEquals(Arrays.copyOf(together, first.length), first, 1e-6f);
        }
    }

    private static int firstInput(Batch batch, int lane) {
        return batch.inputs()[lane * batch.steps()];
    }

    @ParameterizedTest
    @MethodSource("networks")
    void encoderIsReadableByDeeplearning4j(String cell) throws IOException {
        try (Network network = new Network(shape(cell), 1)) {
            network.train(batch(0), 0.1, 0, 0, 0);
            byte[] zip = zip(network, network.shape().parts().get(1));

            MultiLayerNetwork stock = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip), true);
            network.encode(new int[][] {SOURCES[0]});
            float[][] state = network.state().arrays();
            float[] output = {};
            for (int token : SOURCES[0]) {
                output = stock.rnnTimeStep(Nd4j.createFromArray(new int[][] {{token}}))
                        .dup()
                        .data()
                        .asFloat();
            }
            assertArrayEquals(output, state[state.length / 2], 1e-6f);
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void everyPartSurvivesWritingAndReading(String cell) throws IOException {
        try (Network network = new Network(shape(cell), 1)) {
            float[] parameters = network.parameters();
            for (NetworkShape.Part part : network.shape().parts()) {
                byte[] zip = zip(network, part);
                assertArrayEquals(
                        part.slice(parameters),
                        NetworkZip.readParameters(part.shape(), 2, new ByteArrayInputStream(zip)),
                        part.role().name());
            }
        }
    }

    private static byte[] zip(Network network, NetworkShape.Part part) throws IOException {
        ByteArrayOutputStream zip = new ByteArrayOutputStream();
        NetworkZip.write(part.shape(), part.slice(network.parameters()), part.slice(network.optimizerState()), zip);
        return zip.toByteArray();
    }

    /** After selectSources, lanes attend to other sources than those that they have encoded. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lanesAttendToTheSelectedSources(boolean bidirectional) {
        String model = "cell = lstm, attention = general, bidirectional = " + bidirectional;
        try (Network network = new Network(shape(model), 1)) {
            network.encode(new int[][] {SOURCES[2]});
            float[] alone = network.nextLogits(3);
            float[][] state = network.state().arrays();

            network.encode(SOURCES);
            float[][] states = network.state().arrays();
            float[][] twice = new float[states.length][];
            for (int i = 0; i < states.length; i++) {
                int size = states[i].length / SOURCES.length;
                float[] row = Arrays.copyOfRange(states[i], 2 * size, 3 * size);
                twice[i] = ArrayUtils.addAll(row, row);
            }
            network.setState(new RecurrentState(twice));
            network.selectSources(new int[] {2, 2});
            float[] both = network.logits(new Batch(2, 1, new int[] {3, 3}, new int[2]));

            assertArrayEquals(ArrayUtils.addAll(alone, alone), both, 1e-6f);
            assertEquals(state[0].length * 2, network.state().arrays()[0].length);
        }
    }

    /** The sources have several lengths: the forward passes of all groups come before the backward passes. */
    @ParameterizedTest
    @MethodSource("networks")
    void gradientWithDropoutIsTheSlopeOfTheLoss(String cell) {
        try (Network network = new Network(shape(cell + ", locked-dropout = true, " + NetworkTest.DROPOUTS), 1)) {
            NetworkTest.assertNormIsTheSlope(network, batch(0));
        }
    }

    /** Validation and decoding between two training steps do not change the training. */
    @ParameterizedTest
    @MethodSource("networks")
    void inferenceBetweenTrainingStepsChangesNothing(String cell) {
        try (Network uninterrupted = new Network(shape(cell + ", " + NetworkTest.DROPOUTS), 1);
                Network interrupted = new Network(shape(cell + ", " + NetworkTest.DROPOUTS), 1)) {
            for (int step = 0; step < 3; step++) {
                Batch batch = batch(step);
                uninterrupted.train(batch, 0.01, 5, step, step + 1);
                interrupted.evaluate(batch);
                interrupted.train(batch, 0.01, 5, step, step + 1);
                interrupted.encode(new int[][] {batch.sources()[1], batch.sources()[0]});
                interrupted.logits(new Batch(2, 1, new int[] {1, 2}, new int[2]));
            }
            assertArrayEquals(uninterrupted.parameters(), interrupted.parameters());
        }
    }

    private static NetworkShape shape(String cell) {
        String model = "layers = 2, hidden = 5, embedding = 4, " + cell;
        NetworkShape untied = TestShapes.shape(SOURCE_VOCABULARY, model + ", tied = false");
        return TestShapes.shape(VOCABULARY, model).withSource(untied.model(), SOURCE_VOCABULARY);
    }

    private static Batch batch(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] inputs = new int[LENGTHS.length * STEPS];
        int[] targets = new int[inputs.length];
        Arrays.fill(targets, Batch.IGNORED);
        Arrays.setAll(inputs, i -> random.nextInt(VOCABULARY));
        for (int lane = 0; lane < LENGTHS.length; lane++) {
            for (int step = 0; step < LENGTHS[lane]; step++) {
                targets[lane * STEPS + step] = random.nextInt(VOCABULARY);
            }
        }
        return new Batch(LENGTHS.length, STEPS, inputs, targets, LENGTHS, SOURCES);
    }
}
