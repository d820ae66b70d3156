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

/** Networks that read a source first. */
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
    void lossAndGradientFollowTheEquations(String cell) {
        try (Network network = new Network(shape(cell), 1)) {
            assertFollowsTheEquations(network, 2e-6f);
        }
    }

    /** Scores differ by so much that most weights are taken as none. */
    @Test
    void aSharpAttentionFollowsTheEquationsToo() {
        try (Network network = new Network(shape("cell = lstm, attention = general"), 1)) {
            float[] parameters = network.parameters();
            int scoreWeights = network.shape().parts().get(2).start();
            int hidden = network.shape().model().hidden();
            for (int i = 0; i < scoreWeights + hidden * hidden; i++) {
                parameters[i] *= i < scoreWeights ? 3 : 500;
            }
            network.setParameters(parameters);
            assertFollowsTheEquations(network, 1e-4f);
        }
    }

    @Test
    void scoresThatAreNoNumbersShowInTheLoss() {
        try (Network network = new Network(shape("cell = lstm, attention = general"), 1)) {
            float[] parameters = network.parameters();
            int scoreWeights = network.shape().parts().get(2).start();
            int hidden = network.shape().model().hidden();
            Arrays.fill(parameters, scoreWeights, scoreWeights + hidden * hidden, Float.NaN);
            network.setParameters(parameters);
            assertEquals(Double.NaN, network.evaluate(batch(0)).mean());
        }
    }

    private static void assertFollowsTheEquations(Network network, float tolerance) {
        Batch batch = batch(0);
        float[] parameters = network.parameters();
        double[] at = new double[parameters.length];
        Arrays.setAll(at, i -> parameters[i]);
        float[] numerical = new float[at.length];
        for (int i = 0; i < at.length; i++) {
            double[] moved = at.clone();
            moved[i] = at[i] + 1e-5;
            double above = reference(network.shape(), moved, batch);
            moved[i] = at[i] - 1e-5;
            numerical[i] = (float) ((above - reference(network.shape(), moved, batch)) / 2e-5);
        }

        assertEquals(
                reference(network.shape(), at, batch), network.evaluate(batch).mean(), 1e-5);
        assertArrayEquals(numerical, network.gradient(batch), tolerance);
    }

    /** Each lane by itself, from the state in which its source leaves the encoder. */
    private static double reference(NetworkShape shape, double[] all, Batch batch) {
        Map<String, double[]> parameters = shape.parts().stream()
                .collect(Collectors.toMap(
                        NetworkShape.Part::name,
                        part -> Arrays.copyOfRange(all, part.start(), part.start() + part.size())));
        NetworkShape reader = (NetworkShape) shape.encoder();
        int arrays = shape.model().layers() * (shape.model().cell().name().equals("LSTM") ? 2 : 1);
        double sum = 0;
        int counted = 0;
        for (int lane = 0; lane < batch.lanes(); lane++) {
            int[] source = batch.sources()[lane];
            int length = batch.lengths()[lane];
            double[][] state = new double[arrays][shape.model().hidden()];
            int[] none = new int[source.length];
            Arrays.fill(none, Batch.IGNORED);
            new ReferenceNetwork(reader, parameters.get("encoder.zip"))
                    .meanLoss(new Batch(1, source.length, source, none), state);
            int from = lane * batch.steps();
            Batch alone = new Batch(
                    1,
                    length,
                    Arrays.copyOfRange(batch.inputs(), from, from + length),
                    Arrays.copyOfRange(batch.targets(), from, from + length));
            ReferenceNetwork writer = new ReferenceNetwork(shape, parameters.get("network.zip"));
            if (parameters.containsKey("attention.zip")) {
                writer.attendingTo(states(reader, parameters, source), parameters.get("attention.zip"));
            }
            sum += length * writer.meanLoss(alone, state);
            counted += length;
        }
        return sum / counted;
    }

    /** @return what there is to attend to: of each token the encoder's state after it, or the sum of both encoders' */
    private static double[][] states(NetworkShape reader, Map<String, double[]> parameters, int[] source) {
        double[][] states = new ReferenceNetwork(reader, parameters.get("encoder.zip")).states(source);
        if (parameters.containsKey("encoder-forward.zip")) {
            int[] turned = source.clone();
            ArrayUtils.reverse(turned);
            double[][] others = new ReferenceNetwork(reader, parameters.get("encoder-forward.zip")).states(turned);
            for (int token = 0; token < states.length; token++) {
                for (int i = 0; i < states[token].length; i++) {
                    states[token][i] += others[states.length - 1 - token][i];
                }
            }
        }
        return states;
    }

    @ParameterizedTest
    @MethodSource("networks")
    void readingAndThenSteppingGivesWhatTheBatchDoes(String cell) {
        try (Network network = new Network(shape(cell), 1)) {
            Batch batch = batch(1);
            float[] together = network.logits(batch);
            network.read(SOURCES);
            float[] first = network.logits(new Batch(
                    SOURCES.length, 1, new int[] {in(batch, 0), in(batch, 1), in(batch, 2), in(batch, 3)}, new int[4]));
            assertArrayEquals(Arrays.copyOf(together, first.length), first, 1e-6f);
        }
    }

    private static int in(Batch batch, int lane) {
        return batch.inputs()[lane * batch.steps()];
    }

    @ParameterizedTest
    @MethodSource("networks")
    void theEncoderIsANetworkOfDeeplearning4j(String cell) throws IOException {
        try (Network network = new Network(shape(cell), 1)) {
            network.train(batch(0), 0.1, 0, 0, 0);
            byte[] zip = zip(network, network.shape().parts().get(1));

            MultiLayerNetwork stock = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(zip), true);
            network.read(new int[][] {SOURCES[0]});
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
    void everyPartIsReadBackAsItWasWritten(String cell) throws IOException {
        try (Network network = new Network(shape(cell), 1)) {
            float[] all = network.parameters();
            for (NetworkShape.Part part : network.shape().parts()) {
                byte[] zip = zip(network, part);
                assertArrayEquals(
                        part.cut(all),
                        NetworkZip.readParameters(part.shape(), 2, new ByteArrayInputStream(zip)),
                        part.name());
            }
        }
    }

    private static byte[] zip(Network network, NetworkShape.Part part) throws IOException {
        ByteArrayOutputStream zip = new ByteArrayOutputStream();
        NetworkZip.write(part.shape(), part.cut(network.parameters()), part.cut(network.optimizerState()), zip);
        return zip.toByteArray();
    }

    /** Lanes that follow other sources than they have read see those. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lanesMayFollowAnySource(boolean bidirectional) {
        String model = "cell = lstm, attention = general, bidirectional = " + bidirectional;
        try (Network network = new Network(shape(model), 1)) {
            network.read(new int[][] {SOURCES[2]});
            float[] alone = network.next(3);
            float[][] state = network.state().arrays();

            network.read(SOURCES);
            float[][] all = network.state().arrays();
            float[][] twice = new float[all.length][];
            for (int i = 0; i < all.length; i++) {
                int size = all[i].length / SOURCES.length;
                float[] row = Arrays.copyOfRange(all[i], 2 * size, 3 * size);
                twice[i] = Floats.join(row, row);
            }
            network.setState(new RecurrentState(twice));
            network.follow(new int[] {2, 2});
            float[] both = network.logits(new Batch(2, 1, new int[] {3, 3}, new int[2]));

            assertArrayEquals(Floats.join(alone, alone), both, 1e-6f);
            assertEquals(state[0].length * 2, network.state().arrays()[0].length);
        }
    }

    /** With an encoder for each length of source, whose forward passes all come before the backward ones. */
    @ParameterizedTest
    @MethodSource("networks")
    void withDropoutTheGradientsNormIsTheSlopeAlongIt(String cell) {
        try (Network network = new Network(shape(cell + ", locked-dropout = true, " + NetworkTest.DROPOUTS), 1)) {
            NetworkTest.assertNormIsTheSlope(network, batch(0));
        }
    }

    /** Validation and search between two steps leave no trace. */
    @ParameterizedTest
    @MethodSource("networks")
    void whatHappensBetweenTwoStepsChangesNothing(String cell) {
        try (Network one = new Network(shape(cell + ", " + NetworkTest.DROPOUTS), 1);
                Network other = new Network(shape(cell + ", " + NetworkTest.DROPOUTS), 1)) {
            for (int step = 0; step < 3; step++) {
                Batch batch = batch(step);
                one.train(batch, 0.01, 5, step, step + 1);
                other.evaluate(batch);
                other.train(batch, 0.01, 5, step, step + 1);
                other.read(new int[][] {batch.sources()[1], batch.sources()[0]});
                other.logits(new Batch(2, 1, new int[] {1, 2}, new int[2]));
            }
            assertArrayEquals(one.parameters(), other.parameters());
        }
    }

    private static NetworkShape shape(String cell) {
        String model = "layers = 2, hidden = 5, embedding = 4, " + cell;
        NetworkShape plain = TestShapes.shape(VOCABULARY, model);
        NetworkShape reader = TestShapes.shape(SOURCE_VOCABULARY, model.replace("tied = true", "tied = false"));
        return new NetworkShape(
                plain.model(),
                VOCABULARY,
                VOCABULARY,
                NetworkShape.Pooling.NONE,
                new NetworkShape(
                        reader.model(), SOURCE_VOCABULARY, 0, NetworkShape.Pooling.NONE, null, plain.optimizer(), 1),
                plain.optimizer(),
                1);
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
