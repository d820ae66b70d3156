package io.unroll.model;

import io.unroll.config.UnrollException;
import io.unroll.kernel.CellType;
import io.unroll.kernel.KernelMemory;
import io.unroll.kernel.RecurrentKernel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.BaseRecurrentLayer;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
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
 * Deeplearning4j adapter of a {@link RecurrentKernel}: a recurrent layer for Deeplearning4j that computes with oneDNN.
 * Arrays have the shape {@code [batch, features, time]} and the memory layout {@code [time, batch, features]}; inputs
 * in this layout are not copied. A backward pass computes the gradients of the last forward pass in training,
 * including the initial state of that pass, which Deeplearning4j's own layers (1.0.0-M2.1) ignore.
 */
public final class OneDnnLayer extends BaseRecurrentLayer<org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer> {
    private static final List<String> STATE_KEYS = List.of(
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_ACTIVATION,
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_MEMCELL);

    private final transient CellType cell;
    private final transient DropMask weightDropout;
    private final transient boolean bfloat16;
    private final transient KernelMemory kernelMemory;
    private transient RecurrentKernel trainingKernel;
    private transient RecurrentKernel inferenceKernel;
    private transient boolean packsOnce;
    private transient boolean carriesInTraining;
    private transient float[][] state;
    private transient float[][] lastStateGradient;
    /** The recurrent weights after weight dropout; the kernel reads them while it packs them. */
    private transient INDArray maskedWeights;
    /** Arrays that the kernel uses until the end of the backward pass; only this list keeps them reachable. */
    private transient List<INDArray> reachable = List.of();

    /** Creates a float32 layer with its own memory. */
    public OneDnnLayer(NeuralNetConfiguration conf) {
        this(conf, 0, false, new KernelMemory());
    }

    /**
     * @param weightDropout probability of dropping a recurrent weight in a training pass
     * @param kernelMemory may be shared with layers that do not run at the same time
     */
    OneDnnLayer(NeuralNetConfiguration conf, double weightDropout, boolean bfloat16, KernelMemory kernelMemory) {
        super(conf, DataType.FLOAT);
        this.cell = cell(layerConf());
        this.weightDropout = weightDropout == 0 ? null : new DropMask(weightDropout);
        this.bfloat16 = bfloat16;
        this.kernelMemory = kernelMemory;
    }

    private static CellType cell(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        return cellOf(layer)
                .orElseThrow(() -> new UnrollException("oneDNN has no kernel for the layer " + layer
                        + ": supported are LSTM, GravesLSTM and Gru with tanh and sigmoid, and SimpleRnn "
                        + "with tanh or relu."));
    }

    /** @return whether this class can replace Deeplearning4j's own float32 layer with this configuration */
    static boolean supports(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        return cellOf(layer).isPresent() && layer.getWeightNoise() == null && layer.getRnnDataFormat() != RNNFormat.NWC;
    }

    @SuppressWarnings("deprecation") // GravesLSTM: Deeplearning4j's only LSTM with peepholes.
    private static Optional<CellType> cellOf(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        if (layer instanceof Gru gru) {
            return Optional.of(gru.resetAfter() ? CellType.GRU_RESET_AFTER : CellType.GRU);
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
        if (training && carriesInTraining) {
            INDArray output = forward(state, true, workspaces);
            keepLastState(trainingKernel);
            return output;
        }
        return forward(null, training, workspaces);
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaces) {
        return rnnActivateUsingStoredState(input, false, true, workspaces);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLast, LayerWorkspaceMgr workspaces) {
        setInput(input, workspaces);
        INDArray output = forward(state, training, workspaces);
        if (storeLast) {
            keepLastState(training ? trainingKernel : inferenceKernel);
        }
        return output;
    }

    private void keepLastState(RecurrentKernel kernel) {
        int size = kernel.shape().lanes() * kernel.shape().hidden();
        if (state == null || state[0].length != size) {
            state = new float[cell.states()][size];
        }
        for (int i = 0; i < state.length; i++) {
            kernel.lastState(i).get(state[i]);
        }
    }

    private INDArray forward(float[][] initialState, boolean training, LayerWorkspaceMgr workspaces) {
        if (maskArray != null) {
            throw new UnsupportedOperationException("masks inside bidirectional networks are not supported");
        }
        if (input.rank() != 3 || input.size(1) != layerConf().getNIn()) {
            throw new IllegalArgumentException(
                    "the recurrent layer " + layerConf().getLayerName() + " expects input of shape [lanes, "
                            + layerConf().getNIn() + ", steps], but got " + Arrays.toString(input.shape()));
        }
        INDArray x = timeMajor(input, ArrayType.INPUT, workspaces);
        if (training && layerConf().getIDropout() != null) {
            INDArray dropped = workspaces.createUninitialized(ArrayType.INPUT, DataType.FLOAT, x.shape(), 'c');
            x = StepDropout.apply(layerConf().getIDropout(), x, dropped, workspaces);
        }
        int steps = (int) x.size(0);
        int lanes = (int) x.size(1);
        RecurrentKernel kernel = kernel(steps, lanes, training);
        if (training && weightDropout != null) {
            kernel.pack(parametersWithDropout(workspaces));
        } else if (!packsOnce) {
            kernel.pack(parameters(params));
        }
        setInitialState(kernel, initialState);
        INDArray y = workspaces.createUninitialized(
                ArrayType.ACTIVATIONS,
                DataType.FLOAT,
                new long[] {steps, lanes, layerConf().getNOut()},
                'c');
        reachable = List.of(x, y);
        kernel.forward(NativeFloats.of(x), NativeFloats.of(y));
        return batchMajor(y);
    }

    private RecurrentKernel kernel(int steps, int lanes, boolean forTraining) {
        RecurrentKernel cached = forTraining ? trainingKernel : inferenceKernel;
        RecurrentKernel.Shape shape = new RecurrentKernel.Shape(
                cell, (int) layerConf().getNIn(), (int) layerConf().getNOut(), steps, lanes, bfloat16, forTraining);
        if (cached != null && cached.shape().equals(shape)) {
            return cached;
        }
        close(forTraining);
        RecurrentKernel kernel = new RecurrentKernel(shape, kernelMemory);
        if (packsOnce) {
            kernel.pack(parameters(params));
        }
        if (forTraining) {
            trainingKernel = kernel;
        } else {
            inferenceKernel = kernel;
        }
        return kernel;
    }

    private void setInitialState(RecurrentKernel kernel, float[][] initialState) {
        int size = kernel.shape().lanes() * kernel.shape().hidden();
        for (int i = 0; i < cell.states(); i++) {
            if (initialState == null) {
                Pointer.memset(kernel.state(i), 0, (long) size * Float.BYTES);
            } else if (initialState[i].length == size) {
                kernel.state(i).put(initialState[i]);
            } else {
                throw new IllegalStateException("the stored state has " + initialState[i].length + " numbers, but "
                        + kernel.shape().lanes() + " lanes need " + size + ": clear the state first");
            }
        }
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        INDArray dy = timeMajor(epsilon, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray dx = workspaces.createUninitialized(
                ArrayType.ACTIVATION_GRAD,
                DataType.FLOAT,
                new long[] {dy.size(0), dy.size(1), layerConf().getNIn()},
                'c');
        reachable = List.of(reachable.get(0), reachable.get(1), dy, dx);
        for (int i = 0; lastStateGradient != null && i < lastStateGradient.length; i++) {
            trainingKernel.lastStateGradient(i).put(lastStateGradient[i]);
        }
        trainingKernel.backward(NativeFloats.of(dy), NativeFloats.of(dx), parameters(gradientViews));
        if (weightDropout != null) {
            FloatPointer weights = NativeFloats.of(recurrent(gradientViews));
            weightDropout.apply(
                    weights, weights, cell.recurrentWeightCount(layerConf().getNOut()));
        }
        if (layerConf().getIDropout() != null) {
            StepDropout.backward(layerConf().getIDropout(), dx);
        }
        Gradient gradient = new DefaultGradient(gradientsFlattened);
        gradient.gradientForVariable().putAll(gradientViews);
        return new Pair<>(gradient, batchMajor(dx));
    }

    /** @param length ignored: the gradient flows through the entire chunk */
    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
        return backpropGradient(epsilon, workspaces);
    }

    /** @return the parameters, the recurrent weights with a new dropout mask (DropConnect, Merity et al. 2018) */
    private RecurrentKernel.Parameters parametersWithDropout(LayerWorkspaceMgr workspaces) {
        INDArray weights = recurrent(params);
        maskedWeights = workspaces.createUninitialized(ArrayType.INPUT, DataType.FLOAT, weights.shape(), 'f');
        long maskedCount = cell.recurrentWeightCount(layerConf().getNOut());
        weightDropout.draw();
        weightDropout.apply(NativeFloats.of(weights), NativeFloats.of(maskedWeights), maskedCount);
        Pointer.memcpy(
                NativeFloats.of(maskedWeights).getPointer(maskedCount),
                NativeFloats.of(weights).getPointer(maskedCount),
                (weights.length() - maskedCount) * Float.BYTES);
        return parameters(params, maskedWeights);
    }

    private static INDArray recurrent(Map<String, INDArray> table) {
        return table.get(LSTMParamInitializer.RECURRENT_WEIGHT_KEY);
    }

    private static RecurrentKernel.Parameters parameters(Map<String, INDArray> table) {
        return parameters(table, recurrent(table));
    }

    private static RecurrentKernel.Parameters parameters(Map<String, INDArray> table, INDArray recurrent) {
        return new RecurrentKernel.Parameters(
                NativeFloats.of(table.get(LSTMParamInitializer.INPUT_WEIGHT_KEY)),
                NativeFloats.of(recurrent),
                NativeFloats.of(table.get(LSTMParamInitializer.BIAS_KEY)));
    }

    /** @return {@code [time, batch, features]}, row-major, copied only if necessary */
    private static INDArray timeMajor(INDArray batchMajor, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray view = batchMajor.permute(2, 0, 1);
        long[] shape = view.shape();
        boolean isTimeMajor = view.dataType() == DataType.FLOAT
                && view.stride(2) == 1
                && view.stride(1) == shape[2]
                && view.stride(0) == shape[1] * shape[2];
        return isTimeMajor
                ? view
                : workspaces
                        .createUninitialized(type, DataType.FLOAT, shape, 'c')
                        .assign(view);
    }

    private static INDArray batchMajor(INDArray timeMajor) {
        return timeMajor.permute(1, 2, 0);
    }

    /**
     * Packs the parameters now, and not before each pass, until {@link #packEachPass}. For several passes with the same
     * parameters.
     */
    void packOnce() {
        packsOnce = true;
        if (inferenceKernel != null) {
            inferenceKernel.pack(parameters(params));
        }
    }

    /** Packs the parameters before each pass, until {@link #packOnce}. */
    void packEachPass() {
        packsOnce = false;
    }

    /** @return the carried state, each array {@code [lanes, hidden]}; null if it is zero */
    float[][] state() {
        return state;
    }

    void setState(float[][] state) {
        this.state = state;
    }

    /** Sets the gradient with respect to the state after the last step, for all following backward passes. */
    void setLastStateGradient(float[][] gradient) {
        lastStateGradient = gradient;
    }

    /**
     * @return the last backward pass's gradient with respect to the initial state, each array {@code [lanes, hidden]}
     */
    float[][] stateGradient() {
        float[][] gradient = new float[cell.states()]
                [trainingKernel.shape().lanes() * trainingKernel.shape().hidden()];
        for (int i = 0; i < gradient.length; i++) {
            trainingKernel.stateGradient(i).get(gradient[i]);
        }
        return gradient;
    }

    @Override
    public Map<String, INDArray> rnnGetPreviousState() {
        Map<String, INDArray> arrays = new HashMap<>();
        for (int i = 0; state != null && i < state.length; i++) {
            long hidden = layerConf().getNOut();
            arrays.put(
                    STATE_KEYS.get(i), Nd4j.createFromArray(state[i]).reshape('c', state[i].length / hidden, hidden));
        }
        return arrays;
    }

    @Override
    public void rnnSetPreviousState(Map<String, INDArray> arrays) {
        state = arrays.isEmpty() ? null : new float[cell.states()][];
        for (int i = 0; state != null && i < state.length; i++) {
            state[i] = arrays.get(STATE_KEYS.get(i)).dup('c').data().asFloat();
        }
    }

    @Override
    public void rnnClearPreviousState() {
        state = null;
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

    /** Closes the kernels, whose memory returns to {@link KernelMemory}; the next pass creates new ones. */
    @Override
    public void close() {
        close(true);
        close(false);
    }

    private void close(boolean forTraining) {
        RecurrentKernel kernel = forTraining ? trainingKernel : inferenceKernel;
        if (forTraining) {
            trainingKernel = null;
        } else {
            inferenceKernel = null;
        }
        if (kernel != null) {
            kernel.close();
        }
    }
}
