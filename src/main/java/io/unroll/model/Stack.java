package io.unroll.model;

import io.unroll.kernel.Embedding;
import io.unroll.kernel.Scratchpad;
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

/** An embedding and the recurrent layers on it, which read and write one vector of parameters and one of gradients. */
final class Stack implements AutoCloseable {
    private final int embedding;
    private final FloatPointer table;
    private final FloatPointer tableGradient;
    private final StepArrays arrays;
    private final List<OneDnnLayer> layers = new ArrayList<>();
    private int[] tokens;
    private int steps;
    private float[] firstStep;
    private boolean readsFirst;
    private float[] firstStepGradient;

    /**
     * @param parameters and gradient in this order
     * @param arrays of the step, and the scratchpad: shared with what runs at other times
     */
    Stack(
            NetworkShape shape,
            MultiLayerConfiguration configuration,
            ParameterOrder order,
            INDArray parameters,
            INDArray gradient,
            StepArrays arrays,
            Scratchpad scratchpad) {
        this.embedding = shape.model().embedding();
        this.table = Floats.of(parameters);
        this.tableGradient = Floats.of(gradient);
        this.arrays = arrays;
        boolean bfloat16 = Network.computesInBfloat16(shape.model());
        for (int i = 0; i < shape.model().layers(); i++) {
            NeuralNetConfiguration one = recurrent(configuration.getConf(i + 1));
            ParamInitializer initializer = one.getLayer().initializer();
            INDArray own = part(parameters, order.layer(i), order.layer(i + 1));
            OneDnnLayer layer =
                    new OneDnnLayer(one, shape.model().regularization().weightDropout(), bfloat16, scratchpad);
            layer.setParamsViewArray(own);
            layer.setParamTable(initializer.init(one, own, false));
            layer.setBackpropGradientsViewArray(part(gradient, order.layer(i), order.layer(i + 1)));
            layers.add(layer);
        }
    }

    /** @return the layer inside what only takes its last step */
    private static NeuralNetConfiguration recurrent(NeuralNetConfiguration configuration) {
        NeuralNetConfiguration inside = configuration.clone();
        if (configuration.getLayer() instanceof LastTimeStep last) {
            inside.setLayer(last.getUnderlying());
        }
        return inside;
    }

    static INDArray part(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.all(), NDArrayIndex.interval(start, end));
    }

    /**
     * @param timeMajor tokens {@code [steps, lanes]}
     * @param keepsState whether the last step's state becomes the stack's
     * @return {@code [steps, lanes, hidden]}
     */
    INDArray forward(int[] timeMajor, int lanes, boolean training, boolean keepsState) {
        tokens = timeMajor;
        steps = timeMajor.length / lanes;
        long[] shape = {steps, lanes, embedding};
        INDArray embedded = arrays.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, shape, 'c');
        Embedding.lookUp(table, embedding, timeMajor, Floats.of(embedded));
        readsFirst = firstStep != null;
        if (readsFirst) {
            Floats.of(embedded).put(firstStep);
            firstStep = null;
        }
        INDArray values = embedded.permute(1, 2, 0);
        for (OneDnnLayer layer : layers) {
            values = layer.rnnActivateUsingStoredState(values, training, keepsState, arrays);
        }
        return values.permute(2, 0, 1);
    }

    /**
     * Of the last {@link #forward} in training; writes the layers' gradient and adds to the embedding's.
     *
     * @param error gradient with respect to what it gave
     */
    void backward(INDArray error) {
        INDArray below = error.permute(1, 2, 0);
        for (int i = layers.size() - 1; i >= 0; i--) {
            below = layers.get(i).backpropGradient(below, arrays).getSecond();
        }
        FloatPointer rows = Floats.of(below);
        if (readsFirst) {
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

    /** @param rows {@code [lanes, embedding]} which the next forward pass reads in place of the first step's tokens */
    void setFirstStep(float[] rows) {
        firstStep = rows;
    }

    /** @return gradient with respect to what the last forward pass read in place of the first step's tokens */
    float[] firstStepGradient() {
        return firstStepGradient;
    }

    /** @return of the last forward pass */
    int steps() {
        return steps;
    }

    /** @return what goes on to the next forward pass, in the order of {@link RecurrentState}; empty where it is zero */
    float[][] state() {
        List<float[]> all = new ArrayList<>();
        for (OneDnnLayer layer : layers) {
            if (layer.state() != null) {
                all.addAll(List.of(layer.state()));
            }
        }
        return all.toArray(float[][]::new);
    }

    /** @param state is the stack's own from now on; empty for zero */
    void setState(float[][] state) {
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).setState(state.length == 0 ? null : ofLayer(state, i));
        }
    }

    /** @return gradient with respect to the state from which the last forward pass in training started */
    float[][] stateGradient() {
        List<float[]> all = new ArrayList<>();
        layers.forEach(layer -> all.addAll(List.of(layer.stateGradient())));
        return all.toArray(float[][]::new);
    }

    /** Adds to the next {@link #backward} the gradient with respect to the state after the last step. */
    void setLastStateGradient(float[][] gradient) {
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).setLastStateGradient(ofLayer(gradient, i));
        }
    }

    private float[][] ofLayer(float[][] all, int layer) {
        int each = all.length / layers.size();
        float[][] own = new float[each][];
        System.arraycopy(all, layer * each, own, 0, each);
        return own;
    }

    /** Packs the parameters once more, and from now on not before each pass. */
    void keepPacked() {
        layers.forEach(OneDnnLayer::keepPacked);
    }

    /** Packs the parameters before each pass. */
    void packEachPass() {
        layers.forEach(OneDnnLayer::packEachPass);
    }

    @Override
    public void close() {
        layers.forEach(OneDnnLayer::close);
    }
}
