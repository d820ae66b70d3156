package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.kernel.CellType;
import io.unroll.kernel.KernelMemory;
import io.unroll.kernel.RecurrentKernel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.BaseRecurrentLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Deeplearning4j adapter of a {@link RecurrentLayerPass}: a recurrent layer for Deeplearning4j that computes with
 * oneDNN. Arrays have the shape {@code [batch, features, time]} and the memory layout {@code [time, batch, features]};
 * inputs in this layout are not copied. A backward pass computes the gradients of the last forward pass in training,
 * including the initial state of that pass, which Deeplearning4j's own layers (1.0.0-M2.1) ignore.
 */
public final class OneDnnLayer extends BaseRecurrentLayer<org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer> {
    private static final List<String> STATE_KEYS = List.of(
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_ACTIVATION,
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_MEMCELL);

    private final transient CellType cell;
    private final transient int inputs;
    private final transient int hidden;
    private final transient Optional<IDropout> dropout;
    private final transient RecurrentLayerPass pass;
    private transient boolean carriesInTraining;
    private transient float[][] state = RecurrentState.ZERO.arrays();
    /** Arrays that the kernel uses until the end of the backward pass; only this list keeps them reachable. */
    private transient List<INDArray> reachable = List.of();

    /** Creates a float32 layer with its own memory. */
    public OneDnnLayer(NeuralNetConfiguration conf) {
        this(conf, new KernelMemory());
    }

    /** @param kernelMemory may be shared with layers that do not run at the same time */
    OneDnnLayer(NeuralNetConfiguration conf, KernelMemory kernelMemory) {
        super(conf, DataType.FLOAT);
        this.cell = cellOf(layerConf())
                .orElseThrow(() -> new UnrollException("oneDNN has no kernel for the layer " + layerConf()
                        + ": supported are LSTM, GravesLSTM and Gru with tanh and sigmoid, and SimpleRnn "
                        + "with tanh or relu."));
        this.inputs = (int) layerConf().getNIn();
        this.hidden = (int) layerConf().getNOut();
        this.dropout = Optional.ofNullable(layerConf().getIDropout());
        this.pass = new RecurrentLayerPass(cell, inputs, hidden, 0, false, Settings.Recurrence.AUTO, kernelMemory);
    }

    /** @return whether this class can replace Deeplearning4j's own float32 layer with this configuration */
    static boolean supports(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        return cellOf(layer).isPresent() && layer.getWeightNoise() == null && layer.getRnnDataFormat() != RNNFormat.NWC;
    }

    @SuppressWarnings("deprecation") // GravesLSTM: Deeplearning4j's only LSTM with peepholes.
    private static Optional<CellType> cellOf(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        if (layer instanceof Gru gru) {
            return Optional.of(gru.cell());
        }
        boolean tanh = layer.getActivationFn() instanceof ActivationTanH;
        if (layer instanceof AbstractLSTM lstm && tanh && lstm.getGateActivationFn() instanceof ActivationSigmoid) {
            if (layer instanceof LSTM) {
                return Optional.of(CellType.LSTM);
            }
            if (layer instanceof org.deeplearning4j.nn.conf.layers.GravesLSTM) {
                return Optional.of(CellType.LSTM_PEEPHOLE);
            }
        }
        if (layer instanceof SimpleRnn rnn && !rnn.hasLayerNorm()) {
            if (tanh) {
                return Optional.of(CellType.RNN_TANH);
            }
            if (layer.getActivationFn() instanceof ActivationReLU) {
                return Optional.of(CellType.RNN_RELU);
            }
        }
        return Optional.empty();
    }

    /** Makes each forward pass in training start from the last state of the previous one, even in {@link #activate}. */
    void carryInTraining() {
        carriesInTraining = true;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        boolean carries = training && carriesInTraining;
        return forward(carries ? state : RecurrentState.ZERO.arrays(), training, carries, workspaces);
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaces) {
        return rnnActivateUsingStoredState(input, false, true, workspaces);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLast, LayerWorkspaceMgr workspaces) {
        setInput(input, workspaces);
        return forward(state, training, storeLast, workspaces);
    }

    private INDArray forward(
            float[][] initialState, boolean training, boolean storeLast, LayerWorkspaceMgr workspaces) {
        if (maskArray != null) {
            throw new UnsupportedOperationException("masks inside bidirectional networks are not supported");
        }
        if (input.rank() != 3 || input.size(1) != inputs) {
            throw new IllegalArgumentException(
                    "the recurrent layer " + layerConf().getLayerName()
                            + " expects input of shape [lanes, " + inputs + ", steps], but got "
                            + Arrays.toString(input.shape()));
        }
        INDArray x = timeMajor(input, ArrayType.INPUT, workspaces);
        if (training && dropout.isPresent()) {
            INDArray dropped = array(ArrayType.INPUT, x.shape(), workspaces);
            dropout.get().applyDropout(dropoutView(x), dropoutView(dropped), 0, 0, workspaces);
            x = dropped;
        }
        INDArray y = array(ArrayType.ACTIVATIONS, new long[] {x.size(0), x.size(1), hidden}, workspaces);
        reachable = List.of(x, y);
        pass.setParameters(parameters(paramsFlattened));
        float[][] lastState = pass.forward(
                NativeFloats.of(x), NativeFloats.of(y), (int) x.size(0), (int) x.size(1), initialState, training);
        state = storeLast ? lastState : state;
        return y.permute(1, 2, 0);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        INDArray dy = timeMajor(epsilon, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray dx = array(ArrayType.ACTIVATION_GRAD, new long[] {dy.size(0), dy.size(1), inputs}, workspaces);
        reachable = List.of(reachable.get(0), reachable.get(1), dy, dx);
        pass.backward(
                NativeFloats.of(dy), NativeFloats.of(dx), parameters(gradientsFlattened), RecurrentState.ZERO.arrays());
        dropout.ifPresent(layerDropout -> layerDropout.backprop(dropoutView(dx), dropoutView(dx), 0, 0));
        Gradient gradient = new DefaultGradient(gradientsFlattened);
        gradient.gradientForVariable().putAll(gradientViews);
        return new Pair<>(gradient, dx.permute(1, 2, 0));
    }

    /** @param length ignored: the gradient flows through the entire chunk */
    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
        return backpropGradient(epsilon, workspaces);
    }

    private RecurrentKernel.Parameters parameters(INDArray vector) {
        return RecurrentKernel.Parameters.at(NativeFloats.of(vector), cell, inputs, hidden);
    }

    /** @return {@code [time, batch, features]}, row-major, copied only if necessary */
    private static INDArray timeMajor(INDArray batchMajor, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray view = batchMajor.permute(2, 0, 1);
        long[] shape = view.shape();
        boolean isTimeMajor = view.dataType() == DataType.FLOAT
                && view.stride(2) == 1
                && view.stride(1) == shape[2]
                && view.stride(0) == shape[1] * shape[2];
        return isTimeMajor ? view : array(type, shape, workspaces).assign(view);
    }

    private static INDArray array(ArrayType type, long[] shape, LayerWorkspaceMgr workspaces) {
        return workspaces.createUninitialized(type, DataType.FLOAT, shape, 'c');
    }

    /** @return {@code [batch, features, time]} for spatial dropout, the only one that distinguishes the dimensions */
    private INDArray dropoutView(INDArray timeMajor) {
        return dropout.get() instanceof SpatialDropout ? timeMajor.permute(1, 2, 0) : timeMajor;
    }

    @Override
    public Map<String, INDArray> rnnGetPreviousState() {
        Map<String, INDArray> arrays = new HashMap<>();
        for (int i = 0; i < state.length; i++) {
            arrays.put(
                    STATE_KEYS.get(i), Nd4j.createFromArray(state[i]).reshape('c', state[i].length / hidden, hidden));
        }
        return arrays;
    }

    @Override
    public void rnnSetPreviousState(Map<String, INDArray> arrays) {
        state = new float[arrays.isEmpty() ? 0 : cell.states()][];
        Arrays.setAll(state, i -> arrays.get(STATE_KEYS.get(i)).dup('c').data().asFloat());
    }

    @Override
    public void rnnClearPreviousState() {
        state = RecurrentState.ZERO.arrays();
    }

    @Override
    public Map<String, INDArray> rnnGetTBPTTState() {
        return rnnGetPreviousState();
    }

    @Override
    public void rnnSetTBPTTState(Map<String, INDArray> arrays) {
        rnnSetPreviousState(arrays);
    }

    @Override
    public Type type() {
        return Type.RECURRENT;
    }

    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    /** As in Deeplearning4j's own layers, masked steps are computed but not part of the loss. */
    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(INDArray mask, MaskState current, int minibatch) {
        return new Pair<>(mask, MaskState.Passthrough);
    }

    /** Closes the kernels; the next pass creates new ones. */
    @Override
    public void close() {
        pass.close();
    }
}
