package io.unroll.model;

import io.unroll.kernel.Embedding;
import io.unroll.kernel.KernelMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** An embedding and the recurrent layers above it, with all parameters in one vector and all gradients in another. */
final class RecurrentStack implements AutoCloseable {
    private final int embedding;
    private final FloatPointer table;
    private final FloatPointer tableGradient;
    private final StepWorkspace workspace;
    private final List<OneDnnLayer> layers = new ArrayList<>();
    private int[] tokens;
    private int steps;
    private float[] firstStep;
    private boolean hasFirstStep;
    private float[] firstStepGradient;

    /**
     * @param parameters vector of all parameters, in {@code order}
     * @param gradient vector of their gradients, in {@code order}
     * @param workspace memory of a step, like {@code kernelMemory} shared with networks that run at other times
     */
    RecurrentStack(
            NetworkShape shape,
            MultiLayerConfiguration configuration,
            ParameterOrder order,
            INDArray parameters,
            INDArray gradient,
            StepWorkspace workspace,
            KernelMemory kernelMemory) {
        this.embedding = shape.model().embedding();
        this.table = NativeFloats.of(parameters);
        this.tableGradient = NativeFloats.of(gradient);
        this.workspace = workspace;
        boolean bfloat16 = Network.computesInBfloat16(shape.model());
        for (int i = 0; i < shape.model().layers(); i++) {
            NeuralNetConfiguration layerConfiguration = recurrent(configuration.getConf(i + 1));
            ParamInitializer initializer = layerConfiguration.getLayer().initializer();
            INDArray layerParameters = slice(parameters, order.layer(i), order.layer(i + 1));
            double weightDropout = shape.model().regularization().weightDropout();
            OneDnnLayer layer = new OneDnnLayer(layerConfiguration, weightDropout, bfloat16, kernelMemory);
            layer.setParamsViewArray(layerParameters);
            layer.setParamTable(initializer.init(layerConfiguration, layerParameters, false));
            layer.setBackpropGradientsViewArray(slice(gradient, order.layer(i), order.layer(i + 1)));
            layers.add(layer);
        }
    }

    /** @return the recurrent layer, unwrapped from {@link LastTimeStep} */
    private static NeuralNetConfiguration recurrent(NeuralNetConfiguration configuration) {
        NeuralNetConfiguration inside = configuration.clone();
        if (configuration.getLayer() instanceof LastTimeStep last) {
            inside.setLayer(last.getUnderlying());
        }
        return inside;
    }

    static INDArray slice(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.all(), NDArrayIndex.interval(start, end));
    }

    /**
     * Runs all steps from the current state.
     *
     * @param timeMajor tokens {@code [steps, lanes]}
     * @param keepsState whether the state after the last step becomes the current state
     * @return {@code [steps, lanes, hidden]}
     */
    INDArray forward(int[] timeMajor, int lanes, boolean training, boolean keepsState) {
        tokens = timeMajor;
        steps = timeMajor.length / lanes;
        long[] shape = {steps, lanes, embedding};
        INDArray embedded = workspace.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, shape, 'c');
        Embedding.lookUp(table, embedding, timeMajor, NativeFloats.of(embedded));
        hasFirstStep = firstStep != null;
        if (hasFirstStep) {
            NativeFloats.of(embedded).put(firstStep);
            firstStep = null;
        }
        INDArray values = embedded.permute(1, 2, 0);
        for (OneDnnLayer layer : layers) {
            values = layer.rnnActivateUsingStoredState(values, training, keepsState, workspace);
        }
        return values.permute(2, 0, 1);
    }

    /**
     * Computes the gradients of the last {@link #forward} in training: overwrites those of the layers, and adds to that
     * of the embedding.
     *
     * @param outputGradient gradient with respect to the outputs, {@code [steps, lanes, hidden]}
     */
    void backward(INDArray outputGradient) {
        INDArray below = outputGradient.permute(1, 2, 0);
        for (int i = layers.size() - 1; i >= 0; i--) {
            below = layers.get(i).backpropGradient(below, workspace).getSecond();
        }
        FloatPointer rows = NativeFloats.of(below);
        if (hasFirstStep) {
            int lanes = tokens.length / steps;
            firstStepGradient = new float[lanes * embedding];
            rows.get(firstStepGradient);
            Embedding.backward(
                    rows.getPointer((long) lanes * embedding),
                    embedding,
                    Arrays.copyOfRange(tokens, lanes, tokens.length),
                    tableGradient);
        } else {
            Embedding.backward(rows, embedding, tokens, tableGradient);
        }
    }

    /** @param rows input {@code [lanes, embedding]} that replaces the first step's tokens in the next forward pass */
    void setFirstStep(float[] rows) {
        firstStep = rows;
    }

    /** @return gradient with respect to the rows of {@link #setFirstStep}, {@code [lanes, embedding]} */
    float[] firstStepGradient() {
        return firstStepGradient;
    }

    /** @return number of steps in the last forward pass */
    int steps() {
        return steps;
    }

    /** @return the current state, in the order of {@link RecurrentState}; empty if it is zero */
    float[][] state() {
        List<float[]> arrays = new ArrayList<>();
        for (OneDnnLayer layer : layers) {
            if (layer.state() != null) {
                arrays.addAll(List.of(layer.state()));
            }
        }
        return arrays.toArray(float[][]::new);
    }

    /** @param state not copied; empty for zero */
    void setState(float[][] state) {
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).setState(state.length == 0 ? null : arraysOfLayer(state, i));
        }
    }

    /** @return gradient with respect to the initial state of the last forward pass in training */
    float[][] stateGradient() {
        List<float[]> arrays = new ArrayList<>();
        layers.forEach(layer -> arrays.addAll(List.of(layer.stateGradient())));
        return arrays.toArray(float[][]::new);
    }

    /** Sets the gradient with respect to the state after the last step, for all following backward passes. */
    void setLastStateGradient(float[][] gradient) {
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).setLastStateGradient(arraysOfLayer(gradient, i));
        }
    }

    private float[][] arraysOfLayer(float[][] arrays, int layer) {
        int arraysPerLayer = arrays.length / layers.size();
        float[][] result = new float[arraysPerLayer][];
        System.arraycopy(arrays, layer * arraysPerLayer, result, 0, arraysPerLayer);
        return result;
    }

    /** Packs the parameters now, and not before each pass, until {@link #packEachPass}. */
    void packOnce() {
        layers.forEach(OneDnnLayer::packOnce);
    }

    /** Packs the parameters before each pass, until {@link #packOnce}. */
    void packEachPass() {
        layers.forEach(OneDnnLayer::packEachPass);
    }

    @Override
    public void close() {
        layers.forEach(OneDnnLayer::close);
    }
}
