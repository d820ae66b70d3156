package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.kernel.CellType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Computes the gates and states of a network's recurrent layers for each token, by the equations of
 * {@link io.unroll.kernel.CellType}. It does so in plain Java because oneDNN's kernels do not return their gates.
 *
 * @param parameters as in {@link Network#parameters}
 */
public record GateTrace(NetworkShape shape, float[] parameters) {
    /** Key of the cell state in {@link Layer#values}. */
    public static final String CELL = "cell";

    /** Key of the hidden state in {@link Layer#values}. */
    public static final String HIDDEN = "hidden";

    private static final String CANDIDATE = "candidate";

    /**
     * A layer's activations after each step, by name, each {@code [steps][hidden]}.
     *
     * @param gates activations between 0 and 1
     * @param values candidate, hidden state and, for an LSTM, cell state
     */
    public record Layer(Map<String, float[][]> gates, Map<String, float[][]> values) {
        private void add(Map<String, float[][]> to, String name, int step, int steps, float[] row) {
            to.computeIfAbsent(name, key -> new float[steps][])[step] = row;
        }
    }

    /** @return the activations of each layer, from the lowest to the highest, starting from the zero state */
    public List<Layer> read(int[] tokens) {
        Settings.Model model = shape.model();
        float[][] inputs = new float[tokens.length][];
        for (int step = 0; step < tokens.length; step++) {
            int row = tokens[step] * model.embedding();
            inputs[step] = Arrays.copyOfRange(parameters, row, row + model.embedding());
        }
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < model.layers(); i++) {
            Layer layer = new Layer(new LinkedHashMap<>(), new LinkedHashMap<>());
            read(new Weights(i), inputs, layer);
            layers.add(layer);
            inputs = layer.values.get(HIDDEN);
        }
        return layers;
    }

    private void read(Weights weights, float[][] inputs, Layer layer) {
        float[] hidden = new float[weights.hidden];
        float[] cell = new float[weights.hidden];
        for (int step = 0; step < inputs.length; step++) {
            switch (shape.model().cell()) {
                case RNN -> hidden = rnn(weights, inputs[step], hidden);
                case GRU -> hidden = gru(weights, inputs[step], hidden, layer, step, inputs.length);
                case LSTM -> {
                    cell = lstm(weights, inputs[step], hidden, cell, layer, step, inputs.length);
                    float[] output = layer.gates.get("output")[step];
                    hidden = new float[weights.hidden];
                    for (int i = 0; i < hidden.length; i++) {
                        hidden[i] = output[i] * (float) Math.tanh(cell[i]);
                    }
                    layer.add(layer.values, CELL, step, inputs.length, cell);
                }
            }
            layer.add(layer.values, HIDDEN, step, inputs.length, hidden);
        }
    }

    private float[] rnn(Weights weights, float[] x, float[] hidden) {
        float[] sums = weights.sums(0, x, hidden);
        for (int i = 0; i < sums.length; i++) {
            sums[i] = shape.model().activation() == Settings.Activation.RELU
                    ? Math.max(0, sums[i])
                    : (float) Math.tanh(sums[i]);
        }
        return sums;
    }

    /** Blocks: candidate, forget, output and input gate. */
    private float[] lstm(
            Weights weights, float[] x, float[] hidden, float[] previous, Layer layer, int step, int steps) {
        float[] candidate = weights.sums(0, x, hidden);
        float[] forget = weights.sums(1, x, hidden);
        float[] output = weights.sums(2, x, hidden);
        float[] input = weights.sums(3, x, hidden);
        float[] cell = new float[previous.length];
        for (int i = 0; i < cell.length; i++) {
            candidate[i] = (float) Math.tanh(candidate[i]);
            forget[i] = sigmoid(forget[i] + weights.peephole(0, i) * previous[i]);
            input[i] = sigmoid(input[i] + weights.peephole(2, i) * previous[i]);
            cell[i] = forget[i] * previous[i] + input[i] * candidate[i];
            output[i] = sigmoid(output[i] + weights.peephole(1, i) * cell[i]);
        }
        layer.add(layer.gates, "input", step, steps, input);
        layer.add(layer.gates, "forget", step, steps, forget);
        layer.add(layer.gates, "output", step, steps, output);
        layer.add(layer.values, CANDIDATE, step, steps, candidate);
        return cell;
    }

    /** Blocks: update gate, reset gate, candidate. */
    private float[] gru(Weights weights, float[] x, float[] previous, Layer layer, int step, int steps) {
        float[] update = weights.sums(0, x, previous);
        float[] reset = weights.sums(1, x, previous);
        float[] candidate = weights.inputSums(2, x);
        float[] gatedState = previous.clone();
        for (int i = 0; i < gatedState.length; i++) {
            update[i] = sigmoid(update[i]);
            reset[i] = sigmoid(reset[i]);
            gatedState[i] *= shape.model().resetAfter() ? 1 : reset[i];
        }
        float[] recurrent = weights.recurrentSums(2, gatedState);
        float[] hidden = new float[gatedState.length];
        for (int i = 0; i < hidden.length; i++) {
            float fromState =
                    shape.model().resetAfter() ? reset[i] * (recurrent[i] + weights.bias(3, i)) : recurrent[i];
            candidate[i] = (float) Math.tanh(candidate[i] + fromState);
            hidden[i] = update[i] * previous[i] + (1 - update[i]) * candidate[i];
        }
        layer.add(layer.gates, "update", step, steps, update);
        layer.add(layer.gates, "reset", step, steps, reset);
        layer.add(layer.values, CANDIDATE, step, steps, candidate);
        return hidden;
    }

    private static float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /** @return for each layer the largest singular value of each block of the recurrent weights, by the block's name */
    public List<Map<String, Double>> largestSingularValues() {
        List<Map<String, Double>> layers = new ArrayList<>();
        for (int layer = 0; layer < shape.model().layers(); layer++) {
            Weights weights = new Weights(layer);
            Map<String, Double> values = new LinkedHashMap<>();
            for (String name : blockNames()) {
                values.put(name, largestSingularValue(weights.recurrentBlock(values.size()), weights.hidden));
            }
            layers.add(values);
        }
        return layers;
    }

    private double largestSingularValue(float[] matrix, int size) {
        // LAPACK's arrays are column-major, so this is the transpose, which has the same singular values.
        try (INDArray columns = Nd4j.createFromArray(matrix).reshape('f', size, size);
                INDArray values = Nd4j.create(DataType.FLOAT, size)) {
            return Natives.withThreads(shape.threads(), () -> {
                Nd4j.getBlasWrapper().lapack().gesvd(columns, values, null, null);
                return values.getDouble(0);
            });
        }
    }

    /** @return names of the blocks in the order of the weights, see {@link io.unroll.kernel.CellType} */
    private List<String> blockNames() {
        return switch (shape.model().cell()) {
            case RNN -> List.of("recurrent");
            case GRU -> List.of("update", "reset", CANDIDATE);
            case LSTM -> List.of(CANDIDATE, "forget", "output", "input");
        };
    }

    /** A layer's parameters, by the indices at which their parts start. */
    private final class Weights {
        private final int inputs;
        private final int hidden;
        private final int inputStart;
        private final int recurrentStart;
        private final int peepholeStart;
        private final int biasStart;

        Weights(int layer) {
            CellType cell = CellType.of(shape.model());
            hidden = shape.model().hidden();
            inputs = layer == 0 ? shape.model().embedding() : hidden;
            inputStart = (int) shape.order().layer(layer);
            recurrentStart = inputStart + (int) cell.inputWeightCount(inputs, hidden);
            peepholeStart = recurrentStart + (int) cell.recurrentWeightCount(hidden);
            biasStart = inputStart + (int) cell.biasStart(inputs, hidden);
        }

        /** @return W x + R h + b of a block */
        float[] sums(int block, float[] x, float[] state) {
            float[] sums = inputSums(block, x);
            float[] fromState = recurrentSums(block, state);
            for (int i = 0; i < hidden; i++) {
                sums[i] += fromState[i];
            }
            return sums;
        }

        /** @return W x + b of a block */
        float[] inputSums(int block, float[] x) {
            float[] product = product(inputStart + block * hidden * inputs, x);
            for (int i = 0; i < hidden; i++) {
                product[i] += bias(block, i);
            }
            return product;
        }

        /** @return R h of a block */
        float[] recurrentSums(int block, float[] state) {
            return product(recurrentStart + block * hidden * hidden, state);
        }

        float[] recurrentBlock(int block) {
            int start = recurrentStart + block * hidden * hidden;
            return Arrays.copyOfRange(parameters, start, start + hidden * hidden);
        }

        private float[] product(int start, float[] x) {
            float[] product = new float[hidden];
            for (int row = 0; row < hidden; row++) {
                int rowStart = start + row * x.length;
                float sum = 0;
                for (int i = 0; i < x.length; i++) {
                    sum += parameters[rowStart + i] * x[i];
                }
                product[row] = sum;
            }
            return product;
        }

        float bias(int block, int i) {
            return parameters[biasStart + block * hidden + i];
        }

        /** @return peephole weight of the forget (0), output (1) or input (2) gate; 0 without peepholes */
        float peephole(int gate, int i) {
            return shape.model().peepholes() ? parameters[peepholeStart + gate * hidden + i] : 0;
        }
    }
}
