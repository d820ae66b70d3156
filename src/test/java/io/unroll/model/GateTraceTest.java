package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GateTraceTest {
    private static final int[] TOKENS = {3, 1, 4, 1, 5, 2, 0, 3};

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void statesEqualThoseOfTheKernels(String cell) {
        NetworkShape shape = TestShapes.shape(6, "hidden = 5, layers = 2, " + cell);
        try (Network network = new Network(shape, 3)) {
            float[] parameters = network.parameters();
            for (int i = 0; i < parameters.length; i++) {
                parameters[i] += (float) Math.sin(i) / 3; // biases and peepholes too
            }
            network.setParameters(parameters);
            List<GateTrace.Layer> layers = new GateTrace(shape, parameters).read(TOKENS);
            for (int step = 0; step < TOKENS.length; step++) {
                network.nextLogits(TOKENS[step]);
                List<float[]> traced = new ArrayList<>();
                for (GateTrace.Layer layer : layers) {
                    traced.add(layer.values().get(GateTrace.HIDDEN)[step]);
                    if (shape.model().cell() == Settings.Cell.LSTM) {
                        traced.add(layer.values().get(GateTrace.CELL)[step]);
                    }
                }
                float[][] state = network.state().arrays();
                assertEquals(state.length, traced.size());
                for (int i = 0; i < state.length; i++) {
                    float largest = 1; // With relu, values are many times larger.
                    for (float value : state[i]) {
                        largest = Math.max(largest, Math.abs(value));
                    }
                    assertArrayEquals(state[i], traced.get(i), 2e-6f * largest);
                }
            }
        }
    }

    @Test
    void gatesAreBetween0And1() {
        NetworkShape shape = TestShapes.shape(6, "hidden = 7, layers = 1, cell = gru");
        GateTrace.Layer layer =
                new GateTrace(shape, shape.initialParameters(1)).read(TOKENS).get(0);
        assertEquals(List.of("update", "reset"), List.copyOf(layer.gates().keySet()));
        for (float[][] gate : layer.gates().values()) {
            for (float[] step : gate) {
                for (float value : step) {
                    assertTrue(value > 0 && value < 1);
                }
            }
        }
    }

    /** All eigenvalues of a shift matrix are 0. */
    @Test
    void largestSingularValueOfAShiftMatrixIsItsLargestEntry() {
        NetworkShape shape = TestShapes.shape(4, "hidden = 3, embedding = 2, layers = 1, cell = rnn");
        float[] parameters = new float[shape.parameters()];
        int recurrent = 4 * 2 + 2 * 3;
        parameters[recurrent + 1] = -3;
        parameters[recurrent + 5] = 2;
        assertEquals(
                3,
                new GateTrace(shape, parameters).largestSingularValues().get(0).get("recurrent"),
                1e-5);
    }

    /** A gate whose weights are all 0 stays half open. */
    @ParameterizedTest
    @CsvSource({"lstm, 4, 0", "gru, 3, 2"})
    void singularValueOfABlockHasTheNameOfItsGate(String cell, int blocks, int candidate) {
        NetworkShape shape = TestShapes.shape(6, "hidden = 3, embedding = 2, layers = 1, cell = " + cell);
        Set<String> names = new HashSet<>();
        for (int block = 0; block < blocks; block++) {
            float[] parameters = new float[shape.parameters()];
            for (int i = 0; i < 6 * 2; i++) {
                parameters[i] = 1 + i;
            }
            int input = 6 * 2;
            Arrays.fill(parameters, input + candidate * 3 * 2, input + (candidate + 1) * 3 * 2, 0.1f);
            int recurrent = input + blocks * 3 * 2 + block * 3 * 3;
            for (int i = 0; i < 3; i++) {
                parameters[recurrent + i * 3 + i] = 1;
            }
            GateTrace trace = new GateTrace(shape, parameters);
            List<String> moved = new ArrayList<>();
            trace.read(TOKENS).get(0).gates().forEach((gate, steps) -> {
                if (Math.abs(steps[TOKENS.length - 1][0] - 0.5) > 1e-3) {
                    moved.add(gate);
                }
            });
            trace.largestSingularValues().get(0).forEach((name, value) -> {
                if (value > 0.5) {
                    names.add(name);
                    assertEquals(name.equals("candidate") ? List.of() : List.of(name), moved);
                }
            });
        }
        assertEquals(blocks, names.size());
    }

    /** The gradient is compared with finite differences of the loss. */
    @ParameterizedTest
    @ValueSource(strings = {"rnn", "gru", "lstm"})
    void stateGradientIsTheSlopeOfTheLoss(String cell) {
        NetworkShape shape = TestShapes.shape(6, "hidden = 4, layers = 2, cell = " + cell);
        try (Network network = new Network(shape, 3)) {
            Batch batch = new Batch(2, 3, new int[] {1, 2, 3, 3, 4, 5}, new int[] {
                Batch.IGNORED, Batch.IGNORED, 4, Batch.IGNORED, Batch.IGNORED, 1
            });
            network.evaluate(batch);
            RecurrentState start = network.state();
            float[][] gradient = network.stateGradient(batch).arrays();
            for (int array = 0; array < gradient.length; array++) {
                for (int i = 0; i < gradient[array].length; i++) {
                    double slope = (loss(network, start, array, i, 0.05f, batch)
                                    - loss(network, start, array, i, -0.05f, batch))
                            / 0.1;
                    assertEquals(slope, gradient[array][i], 1e-3 + 0.02 * Math.abs(slope));
                }
            }
        }
    }

    private static double loss(Network network, RecurrentState start, int array, int i, float step, Batch batch) {
        RecurrentState moved = new RecurrentState(
                Arrays.stream(start.arrays()).map(float[]::clone).toArray(float[][]::new));
        moved.arrays()[array][i] += step;
        network.setState(moved);
        return network.evaluate(batch).sum();
    }
}
