package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients vanish, explode, or are kept by an LSTM as theory says (Bengio et al. 1994, Pascanu et al. 2013). */
class GradientFlowTest {
    private static final int VOCABULARY = 7;
    private static final int HIDDEN = 12;
    private static final int MAX_LAG = 90;

    /** Without input, the state of a vanilla RNN stays 0, where the slope of tanh is 1: only R acts. */
    @ParameterizedTest
    @ValueSource(doubles = {0.5, 1, 1.5})
    void normsOfAVanillaRnnArePowersOfItsSpectralRadius(double radius) {
        NetworkShape shape = TestShapes.shape(VOCABULARY, "layers = 1, cell = rnn, hidden = " + HIDDEN);
        try (Network network = new Network(shape, 1)) {
            float[] parameters = network.parameters();
            int recurrent = VOCABULARY * HIDDEN + HIDDEN * HIDDEN;
            Arrays.fill(parameters, 0, recurrent, 0);
            float[] reflection = reflection();
            for (int i = 0; i < reflection.length; i++) {
                parameters[recurrent + i] = (float) radius * reflection[i];
            }
            network.setParameters(parameters);

            Map<Integer, Double> norms = norms(network, 0);

            for (Map.Entry<Integer, Double> norm : norms.entrySet()) {
                double expected = norms.get(1) * Math.pow(radius, norm.getKey() - 1.0);
                assertEquals(1, norm.getValue() / expected, 1e-4, "at lag " + norm.getKey());
            }
            assertTrue(norms.get(1) > 1e-3);
        }
    }

    /** @return a dense matrix whose singular values are all 1 */
    private static float[] reflection() {
        double[] v = new SplittableRandom(2).doubles(HIDDEN, -1, 1).toArray();
        double square = Arrays.stream(v).map(x -> x * x).sum();
        float[] matrix = new float[HIDDEN * HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            for (int j = 0; j < HIDDEN; j++) {
                matrix[i * HIDDEN + j] = (float) ((i == j ? 1 : 0) - 2 * v[i] * v[j] / square);
            }
        }
        return matrix;
    }

    /** The gradient of the cell state flows only through the forget gate: each step multiplies it by sigmoid(bias). */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1, 5})
    void normsOfAnLstmArePowersOfItsForgetGate(double bias) {
        NetworkShape shape = TestShapes.shape(VOCABULARY, "layers = 1, cell = lstm, hidden = " + HIDDEN);
        try (Network network = new Network(shape, 1)) {
            float[] parameters = network.parameters();
            int biases = VOCABULARY * HIDDEN + 8 * HIDDEN * HIDDEN;
            assertEquals(1, parameters[biases + HIDDEN], "the forget gate's bias at the start");
            Arrays.fill(parameters, 0, biases + 4 * HIDDEN, 0);
            Arrays.fill(parameters, biases + HIDDEN, biases + 2 * HIDDEN, (float) bias);
            network.setParameters(parameters);

            Map<Integer, Double> norms = norms(network, 1);

            double kept = 1 / (1 + Math.exp(-bias));
            norms.forEach((lag, norm) ->
                    assertEquals(1, norm / (norms.get(1) * Math.pow(kept, lag - 1.0)), 1e-3, "at lag " + lag));
        }
    }

    /** With the initial weights of a new network. */
    @Test
    void gradientOfAnUntrainedLstmReachesFurtherThanThatOfAVanillaRnn() {
        NetworkShape shape = TestShapes.shape(VOCABULARY, "layers = 1, cell = lstm, hidden = " + HIDDEN);
        try (Network network = new Network(shape, 1)) {
            Map<Integer, Double> norms = norms(network, 1);
            assertTrue(norms.get(MAX_LAG) / norms.get(1) > 1e6 * Math.pow(0.5, MAX_LAG - 1), norms.toString());
        }
    }

    private static Map<Integer, Double> norms(Network network, int array) {
        int[][] lanes = new int[5][];
        for (int lane = 0; lane < lanes.length; lane++) {
            lanes[lane] =
                    new SplittableRandom(lane).ints(MAX_LAG + 1L, 0, VOCABULARY).toArray();
        }
        Map<Integer, Double> norms =
                GradientFlow.measure(network, lanes).get(array).norms();
        assertTrue(norms.containsKey(MAX_LAG), norms.toString());
        return norms;
    }

    /** The norm is taken over all layers together and then averaged over the lanes. */
    @Test
    void totalNormIsTheMeanOverTheLanes() {
        NetworkShape shape = TestShapes.shape(VOCABULARY, "layers = 2, cell = lstm, hidden = " + HIDDEN);
        try (Network network = new Network(shape, 1)) {
            int[][] lanes = {{1, 2, 3, 4}, {6, 0, 6, 5}};
            double sum = 0;
            for (int[] lane : lanes) {
                double square = 0;
                for (GradientFlow flow : GradientFlow.measure(network, new int[][] {lane})) {
                    square += Math.pow(flow.norms().get(2), 2);
                }
                sum += Math.sqrt(square);
            }
            assertEquals(sum / 2, GradientFlow.totalNorms(network, lanes).get(2), 1e-5 * sum);
        }
    }

    @Test
    void lagsGrowFrom1ToTheMaximum() {
        assertEquals(List.of(1, 2, 3, 4, 5, 6, 7), GradientFlow.lags(8).subList(0, 7));
        assertEquals(200, GradientFlow.lags(200).get(GradientFlow.lags(200).size() - 1));
        assertEquals(GradientFlow.lags(200).stream().distinct().sorted().toList(), GradientFlow.lags(200));
        assertEquals(List.of(1), GradientFlow.lags(1));
    }
}
