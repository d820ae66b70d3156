package io.unroll.model;

import io.unroll.config.UnrollException;
import io.unroll.kernel.Cell;
import io.unroll.kernel.RecurrentKernel;
import io.unroll.kernel.Scratchpad;
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
 * A recurrent layer of Deeplearning4j on oneDNN. Arrays are {@code [batch, features, time]}, and lie in memory as
 * {@code [time, batch, features]}: what lies so goes in without a copy. The backward pass belongs to the last forward
 * pass in training, and starts from the state that this one started from, which Deeplearning4j's own layers
 * (1.0.0-M2.1) do not.
 */
public final class OneDnnLayer extends BaseRecurrentLayer<org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer> {
    private static final List<String> STATE_KEYS = List.of(
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_ACTIVATION,
            org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_MEMCELL);

    private final transient Cell cell;
    private final transient DropMask weightDropout;
    private final transient boolean bfloat16;
    private final transient Scratchpad scratchpad;
    private transient RecurrentKernel training;
    private transient RecurrentKernel inference;
    private transient boolean keepsPacked;
    private transient boolean carriesInTraining;
    private transient float[][] state;
    private transient float[][] lastStateGradient;
    /** What is left of the recurrent weights, while the kernel takes them over. */
    private transient INDArray keptWeights;
    /** What the kernel reads until its backward pass is over, and nothing else may hold. */
    private transient List<INDArray> held = List.of();

    /** A layer by itself, in float32. */
    public OneDnnLayer(NeuralNetConfiguration conf) {
        this(conf, 0, false, new Scratchpad());
    }

    /**
     * @param weightDropout probability of dropping a recurrent weight in a pass of training
     * @param scratchpad shared with layers that run at other times
     */
    OneDnnLayer(NeuralNetConfiguration conf, double weightDropout, boolean bfloat16, Scratchpad scratchpad) {
        super(conf, DataType.FLOAT);
        this.cell = cell(layerConf());
        this.weightDropout = weightDropout == 0 ? null : new DropMask(weightDropout);
        this.bfloat16 = bfloat16;
        this.scratchpad = scratchpad;
    }

    private static Cell cell(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        return cellOf(layer)
                .orElseThrow(() -> new UnrollException("oneDNN has no kernel for the layer " + layer
                        + ": it runs LSTM, GravesLSTM and Gru with tanh and sigmoid, and SimpleRnn "
                        + "with tanh or relu."));
    }

    /** @return whether this class computes what Deeplearning4j's own layer of that configuration does, in float32 */
    static boolean supports(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        return cellOf(layer).isPresent() && layer.getWeightNoise() == null && layer.getRnnDataFormat() != RNNFormat.NWC;
    }

    @SuppressWarnings("deprecation") // GravesLSTM: Deeplearning4j has no other with peepholes.
    private static Optional<Cell> cellOf(org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer layer) {
        if (layer instanceof Gru gru) {
            return Optional.of(gru.resetAfter() ? Cell.GRU_RESET_AFTER : Cell.GRU);
        }
        boolean tanh = layer.getActivationFn() instanceof ActivationTanH;
        if (layer instanceof AbstractLSTM lstm && tanh && lstm.getGateActivationFn() instanceof ActivationSigmoid) {
            if (layer instanceof LSTM) {
                return Optional.of(Cell.LSTM);
            }
            if (layer instanceof org.deeplearning4j.nn.conf.layers.GravesLSTM) {
                return Optional.of(Cell.LSTM_PEEPHOLE);
            }
        }
        if (layer instanceof SimpleRnn rnn && !rnn.hasLayerNorm()) {
            if (tanh) {
                return Optional.of(Cell.RNN_TANH);
            }
            if (layer.getActivationFn() instanceof ActivationReLU) {
                return Optional.of(Cell.RNN_RELU);
            }
        }
        return Optional.empty();
    }

    /** Carries the state from one forward pass in training to the next, whatever the network around it does. */
    void carryInTraining() {
        carriesInTraining = true;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        if (training && carriesInTraining) {
            INDArray output = forward(state, true, workspaces);
            keepLastState(this.training);
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
            keepLastState(training ? this.training : inference);
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

    private INDArray forward(float[][] start, boolean training, LayerWorkspaceMgr workspaces) {
        if (maskArray != null) {
            throw new UnsupportedOperationException("masks inside bidirectional networks");
        }
        if (input.rank() != 3 || input.size(1) != layerConf().getNIn()) {
            throw new IllegalArgumentException(
                    "the recurrent layer " + layerConf().getLayerName() + " expects input of shape [lanes, "
                            + layerConf().getNIn() + ", steps], but got " + Arrays.toString(input.shape()));
        }
        INDArray x = timeMajor(input, ArrayType.INPUT, workspaces);
        if (training && layerConf().getIDropout() != null) {
            INDArray kept = workspaces.createUninitialized(ArrayType.INPUT, DataType.FLOAT, x.shape(), 'c');
            x = StepDropout.apply(layerConf().getIDropout(), x, kept, workspaces);
        }
        int steps = (int) x.size(0);
        int lanes = (int) x.size(1);
        RecurrentKernel kernel = kernel(steps, lanes, training);
        if (training && weightDropout != null) {
            kernel.pack(keptWeights(workspaces));
        } else if (!keepsPacked) {
            kernel.pack(parameters(params));
        }
        start(kernel, start);
        INDArray y = workspaces.createUninitialized(
                ArrayType.ACTIVATIONS,
                DataType.FLOAT,
                new long[] {steps, lanes, layerConf().getNOut()},
                'c');
        held = List.of(x, y);
        kernel.forward(Floats.of(x), Floats.of(y));
        return batchMajor(y);
    }

    private RecurrentKernel kernel(int steps, int lanes, boolean forTraining) {
        RecurrentKernel cached = forTraining ? training : inference;
        RecurrentKernel.Shape shape = new RecurrentKernel.Shape(
                cell, (int) layerConf().getNIn(), (int) layerConf().getNOut(), steps, lanes, bfloat16, forTraining);
        if (cached != null && cached.shape().equals(shape)) {
            return cached;
        }
        close(forTraining);
        RecurrentKernel kernel = new RecurrentKernel(shape, scratchpad);
        if (keepsPacked) {
            kernel.pack(parameters(params));
        }
        if (forTraining) {
            training = kernel;
        } else {
            inference = kernel;
        }
        return kernel;
    }

    private void start(RecurrentKernel kernel, float[][] start) {
        int size = kernel.shape().lanes() * kernel.shape().hidden();
        for (int i = 0; i < cell.states(); i++) {
            if (start == null) {
                Pointer.memset(kernel.state(i), 0, (long) size * Float.BYTES);
            } else if (start[i].length == size) {
                kernel.state(i).put(start[i]);
            } else {
                throw new IllegalStateException("the state has " + start[i].length + " numbers, not " + size + " for "
                        + kernel.shape().lanes() + " lanes: clear it first");
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
        held = List.of(held.get(0), held.get(1), dy, dx);
        for (int i = 0; lastStateGradient != null && i < lastStateGradient.length; i++) {
            training.lastStateGradient(i).put(lastStateGradient[i]);
        }
        training.backward(Floats.of(dy), Floats.of(dx), parameters(gradientViews));
        if (weightDropout != null) {
            FloatPointer weights = Floats.of(recurrent(gradientViews));
            weightDropout.apply(
                    weights, weights, cell.weightsBetweenStates(layerConf().getNOut()));
        }
        if (layerConf().getIDropout() != null) {
            StepDropout.backward(layerConf().getIDropout(), dx);
        }
        Gradient gradient = new DefaultGradient(gradientsFlattened);
        gradient.gradientForVariable().putAll(gradientViews);
        return new Pair<>(gradient, batchMajor(dx));
    }

    /** @param length is not read: the gradient goes through the whole chunk */
    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
        return backpropGradient(epsilon, workspaces);
    }

    /** @return the parameters, with others of the recurrent weights dropped (DropConnect, as in Merity et al. 2018) */
    private RecurrentKernel.Parameters keptWeights(LayerWorkspaceMgr workspaces) {
        INDArray all = recurrent(params);
        keptWeights = workspaces.createUninitialized(ArrayType.INPUT, DataType.FLOAT, all.shape(), 'f');
        long dropping = cell.weightsBetweenStates(layerConf().getNOut());
        weightDropout.draw();
        weightDropout.apply(Floats.of(all), Floats.of(keptWeights), dropping);
        Pointer.memcpy(
                Floats.of(keptWeights).getPointer(dropping),
                Floats.of(all).getPointer(dropping),
                (all.length() - dropping) * Float.BYTES);
        return parameters(params, keptWeights);
    }

    private static INDArray recurrent(Map<String, INDArray> table) {
        return table.get(LSTMParamInitializer.RECURRENT_WEIGHT_KEY);
    }

    private static RecurrentKernel.Parameters parameters(Map<String, INDArray> table) {
        return parameters(table, recurrent(table));
    }

    private static RecurrentKernel.Parameters parameters(Map<String, INDArray> table, INDArray recurrent) {
        return new RecurrentKernel.Parameters(
                Floats.of(table.get(LSTMParamInitializer.INPUT_WEIGHT_KEY)),
                Floats.of(recurrent),
                Floats.of(table.get(LSTMParamInitializer.BIAS_KEY)));
    }

    /** @return {@code [time, batch, features]}, row by row */
    private static INDArray timeMajor(INDArray batchMajor, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray view = batchMajor.permute(2, 0, 1);
        long[] shape = view.shape();
        boolean lies = view.dataType() == DataType.FLOAT
                && view.stride(2) == 1
                && view.stride(1) == shape[2]
                && view.stride(0) == shape[1] * shape[2];
        return lies
                ? view
                : workspaces
                        .createUninitialized(type, DataType.FLOAT, shape, 'c')
                        .assign(view);
    }

    private static INDArray batchMajor(INDArray timeMajor) {
        return timeMajor.permute(1, 2, 0);
    }

    /**
     * Packs the parameters once more, and from now on not before each pass: for passes between which they stay the
     * same.
     */
    void keepPacked() {
        keepsPacked = true;
        if (inference != null) {
            inference.pack(parameters(params));
        }
    }

    /** Packs the parameters before each pass. */
    void packEachPass() {
        keepsPacked = false;
    }

    /** @return the carried state, each array {@code [lanes, hidden]}; null where it is zero */
    float[][] state() {
        return state;
    }

    void setState(float[][] state) {
        this.state = state;
    }

    /** From now on adds to each backward pass the gradient with respect to the state after the last step. */
    void setLastStateGradient(float[][] gradient) {
        lastStateGradient = gradient;
    }

    /**
     * @return gradient with respect to the state that the last backward pass started from, each {@code [lanes, hidden]}
     */
    float[][] stateGradient() {
        float[][] gradient = new float[cell.states()]
                [training.shape().lanes() * training.shape().hidden()];
        for (int i = 0; i < gradient.length; i++) {
            training.stateGradient(i).get(gradient[i]);
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

    /** As in Deeplearning4j's own layers, what lies behind a mask is computed and then not counted. */
    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(INDArray mask, MaskState current, int minibatch) {
        return new Pair<>(mask, MaskState.Passthrough);
    }

    /** Hands what is native back to the scratchpad; the next pass makes it anew. */
    @Override
    public void close() {
        close(true);
        close(false);
    }

    private void close(boolean forTraining) {
        RecurrentKernel kernel = forTraining ? training : inference;
        if (forTraining) {
            training = null;
        } else {
            inference = null;
        }
        if (kernel != null) {
            kernel.close();
        }
    }
}
