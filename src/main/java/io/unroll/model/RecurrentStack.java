package io.unroll.model;

import io.unroll.kernel.CellType;
import io.unroll.kernel.Embedding;
import io.unroll.kernel.RecurrentKernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An embedding and the recurrent layers above it, with all parameters in one vector and all gradients in another, and
 * the current state of the layers.
 */
final class RecurrentStack implements AutoCloseable {
    private record Layer(
            RecurrentLayerPass pass,
            int inputs,
            RecurrentKernel.Parameters parameters,
            RecurrentKernel.Parameters gradient,
            StepDropout inputDropout) {}

    private final int embedding;
    private final int hidden;
    private final FloatPointer table;
    private final FloatPointer tableGradient;
    private final StepWorkspace workspace;
    private final List<Layer> layers = new ArrayList<>();
    private RecurrentState state = RecurrentState.ZERO;
    private int[] tokens;
    private int steps;
    /** Input of the next pass instead of its first step's tokens; empty for none. */
    private float[] firstStep = {};
    /** How many rows of the last pass's input were not its tokens. */
    private int replacedRows;

    private INDArray inputGradient;

    /**
     * @param parameters vector of all parameters, in the order of {@link ParameterOrder}
     * @param gradient vector of their gradients, in the same order
     * @param workspace memory of a step and of kernels, shared with networks that run at other times
     */
    RecurrentStack(NetworkShape shape, INDArray parameters, INDArray gradient, StepWorkspace workspace) {
        this.embedding = shape.model().embedding();
        this.hidden = shape.model().hidden();
        this.table = NativeFloats.of(parameters);
        this.tableGradient = NativeFloats.of(gradient);
        this.workspace = workspace;
        CellType cell = CellType.of(shape.model());
        boolean bfloat16 = Network.computesInBfloat16(shape.model());
        for (int i = 0; i < shape.model().layers(); i++) {
            int inputs = i == 0 ? embedding : hidden;
            long start = shape.order().layer(i);
            double dropout =
                    i == 0 ? shape.model().inputDropout() : shape.model().dropout();
            layers.add(new Layer(
                    new RecurrentLayerPass(
                            cell,
                            inputs,
                            hidden,
                            shape.model().weightDropout(),
                            bfloat16,
                            shape.model().recurrence(),
                            workspace.kernelMemory()),
                    inputs,
                    RecurrentKernel.Parameters.at(table.getPointer(start), cell, inputs, hidden),
                    RecurrentKernel.Parameters.at(tableGradient.getPointer(start), cell, inputs, hidden),
                    new StepDropout(dropout, shape.model().lockedDropout(), workspace)));
        }
        parametersChanged();
    }

    /**
     * Runs all steps from the current state.
     *
     * @param timeMajor tokens {@code [steps, lanes]}
     * @param keepsState whether the state after the last step becomes the current state; otherwise that becomes zero
     * @return {@code [steps, lanes, hidden]}
     */
    INDArray forward(int[] timeMajor, int lanes, boolean training, boolean keepsState) {
        tokens = timeMajor;
        steps = timeMajor.length / lanes;
        INDArray values = workspace.array(steps, lanes, embedding);
        Embedding.lookUp(table, embedding, timeMajor, NativeFloats.of(values));
        NativeFloats.of(values).put(firstStep);
        replacedRows = firstStep.length / embedding;
        firstStep = new float[0];
        List<float[]> lastState = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            FloatPointer x = NativeFloats.of(training ? layer.inputDropout.apply(values) : values);
            values = workspace.array(steps, lanes, hidden);
            FloatPointer y = NativeFloats.of(values);
            lastState.addAll(List.of(layer.pass.forward(x, y, steps, lanes, arraysOfLayer(state, i), training)));
        }
        state = keepsState ? new RecurrentState(lastState.toArray(float[][]::new)) : RecurrentState.ZERO;
        return values;
    }

    /**
     * Computes the gradients of the last {@link #forward} in training: overwrites those of the layers, and adds to that
     * of the embedding.
     *
     * @param outputGradient gradient with respect to the outputs, {@code [steps, lanes, hidden]}
     * @param lastStateGradient gradient with respect to the state after the last step
     */
    void backward(INDArray outputGradient, RecurrentState lastStateGradient) {
        int lanes = tokens.length / steps;
        inputGradient = outputGradient;
        for (int i = layers.size() - 1; i >= 0; i--) {
            Layer layer = layers.get(i);
            FloatPointer dy = NativeFloats.of(inputGradient);
            inputGradient = workspace.array(steps, lanes, layer.inputs);
            FloatPointer dx = NativeFloats.of(inputGradient);
            layer.pass.backward(dy, dx, layer.gradient, arraysOfLayer(lastStateGradient, i));
            layer.inputDropout.backward(inputGradient);
        }
        Embedding.backward(
                NativeFloats.of(inputGradient).getPointer((long) replacedRows * embedding),
                embedding,
                Arrays.copyOfRange(tokens, replacedRows, tokens.length),
                tableGradient);
    }

    /** @param rows input {@code [lanes, embedding]} that replaces the first step's tokens in the next forward pass */
    void setFirstStep(float[] rows) {
        firstStep = rows;
    }

    /** Runs the step of {@link #setFirstStep}, if there is one, without dropout. */
    void runFirstStep() {
        int lanes = firstStep.length / embedding;
        if (lanes > 0) {
            forward(new int[lanes], lanes, false, true);
        }
    }

    /** @return gradient with respect to the rows of {@link #setFirstStep}, {@code [lanes, embedding]} */
    float[] firstStepGradient() {
        float[] rows = new float[replacedRows * embedding];
        NativeFloats.of(inputGradient).get(rows);
        return rows;
    }

    /** @return number of steps in the last forward pass */
    int steps() {
        return steps;
    }

    RecurrentState state() {
        return state;
    }

    void setState(RecurrentState state) {
        this.state = state;
    }

    /** @return gradient with respect to the initial state of the last forward pass in training */
    RecurrentState stateGradient() {
        return new RecurrentState(layers.stream()
                .flatMap(layer -> Arrays.stream(layer.pass.stateGradient()))
                .toArray(float[][]::new));
    }

    private float[][] arraysOfLayer(RecurrentState arrays, int layer) {
        int perLayer = arrays.arrays().length / layers.size();
        return Arrays.copyOfRange(arrays.arrays(), layer * perLayer, (layer + 1) * perLayer);
    }

    /** Must be called after the parameters have changed. */
    void parametersChanged() {
        layers.forEach(layer -> layer.pass.setParameters(layer.parameters));
    }

    @Override
    public void close() {
        layers.forEach(layer -> layer.pass.close());
    }
}
