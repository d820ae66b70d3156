package io.unroll.model;

import io.unroll.chunk.Batch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * One Deeplearning4j network with its optimizer and its recurrent state: embedding, recurrent layers, softmax over
 * the vocabulary. What goes in and out are plain arrays; parameters are in Deeplearning4j's flat order. Not safe for
 * several threads.
 */
public final class Network implements AutoCloseable {
    private final NetworkShape shape;
    private final MultiLayerNetwork net;
    private final SparseSoftmaxCrossEntropy loss;
    private final IUpdater optimizer;
    private final INDArray optimizerState;
    private final GradientUpdater<?> updater;

    /** @param seed of the initial weights */
    public Network(NetworkShape shape, long seed) {
        Natives.useThreads(shape.threads());
        this.shape = shape;
        this.net = new MultiLayerNetwork(Configurations.training(shape, seed));
        net.init();
        var output = (org.deeplearning4j.nn.conf.layers.RnnOutputLayer)
                net.getOutputLayer().conf().getLayer();
        this.loss = (SparseSoftmaxCrossEntropy) output.getLossFn();
        this.optimizer = Configurations.updater(shape.optimizer());
        long stateSize = optimizer.stateSize(net.numParams());
        this.optimizerState = stateSize == 0 ? null : Nd4j.zeros(DataType.FLOAT, 1, stateSize);
        this.updater = optimizer.instantiate(optimizerState, true);
    }

    public NetworkShape shape() {
        return shape;
    }

    public float[] parameters() {
        return net.params().dup().data().asFloat();
    }

    public void setParameters(float[] parameters) {
        net.params().assign(Nd4j.createFromArray(parameters));
    }

    /** @return what the optimizer remembers, in Deeplearning4j's order; empty where it remembers nothing */
    public float[] optimizerState() {
        return optimizerState == null
                ? new float[0]
                : optimizerState.dup().data().asFloat();
    }

    public void setOptimizerState(float[] state) {
        if (optimizerState != null) {
            optimizerState.assign(Nd4j.createFromArray(state));
        }
    }

    /**
     * One step of training.
     *
     * @param gradientNorm global L2 norm before clipping, of the mean loss in nats per token
     */
    public record Step(Loss loss, double gradientNorm, boolean clipped) {}

    /**
     * Trains on one chunk, starting from the carried state and leaving the chunk's last state to be carried on.
     *
     * @param iteration optimizer steps that came before this one
     * @param dropoutSeed decides what is dropped in this step
     */
    public Step train(Batch batch, double learningRate, double clipNorm, int iteration, long dropoutSeed) {
        Nd4j.getRandom().setSeed(dropoutSeed);
        INDArray gradient = gradient(batch);
        double norm = gradient.norm2Number().doubleValue();
        boolean clip = clipNorm > 0 && norm > clipNorm;
        if (clip) {
            gradient.muli(clipNorm / norm);
        }
        optimizer.setLrAndSchedule(learningRate, null);
        updater.applyUpdater(gradient, iteration, 0);
        net.params().subi(gradient.reshape(net.numParams()));
        return new Step(loss.last(), norm, clip);
    }

    /** @return the gradient of the mean loss, a view of {@code [1, parameters]} that the next call overwrites */
    INDArray gradient(Batch batch) {
        for (RecurrentLayer layer : recurrentLayers()) {
            layer.rnnSetPreviousState(layer.rnnGetTBPTTState());
        }
        net.setInput(array(batch, batch.inputs()));
        net.setLabels(array(batch, batch.targets()).reshape(batch.lanes(), 1, batch.steps()));
        net.computeGradientAndScore();
        return net.getFlattenedGradients();
    }

    /** @return the loss over one chunk, without dropout, the state carried as in training */
    public Loss evaluate(Batch batch) {
        return SparseSoftmaxCrossEntropy.loss(logits(batch), batch.targets());
    }

    /** @return unnormalised log-probabilities of what follows the token, {@code [vocabulary]} */
    public float[] next(int token) {
        return logits(new Batch(1, 1, new int[] {token}, new int[1]))
                .dup('c')
                .data()
                .asFloat();
    }

    /** @return {@code [lanes * steps, vocabulary]}, lane by lane */
    private INDArray logits(Batch batch) {
        LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
        INDArray values = array(batch, batch.inputs());
        Layer[] layers = net.getLayers();
        for (int i = 0; i < layers.length - 1; i++) {
            values = layers[i] instanceof RecurrentLayer recurrent
                    ? recurrent.rnnActivateUsingStoredState(values, false, true, workspaces)
                    : layers[i].activate(values, false, workspaces);
        }
        Layer output = net.getOutputLayer();
        return values.permute(0, 2, 1)
                .dup('c')
                .reshape(
                        'c', (long) batch.lanes() * batch.steps(), shape.model().hidden())
                .mmul(output.getParam(DefaultParamInitializer.WEIGHT_KEY))
                .addiRowVector(output.getParam(DefaultParamInitializer.BIAS_KEY));
    }

    private static INDArray array(Batch batch, int[] tokens) {
        return Nd4j.createFromArray(tokens).reshape('c', batch.lanes(), batch.steps());
    }

    public RecurrentState state() {
        List<float[]> arrays = new ArrayList<>();
        for (RecurrentLayer layer : recurrentLayers()) {
            Map<String, INDArray> state = new TreeMap<>(layer.rnnGetTBPTTState());
            state.values().forEach(array -> arrays.add(array.dup('c').data().asFloat()));
        }
        return new RecurrentState(arrays.toArray(float[][]::new));
    }

    public void setState(RecurrentState state) {
        net.rnnClearPreviousState();
        if (state.isZero()) {
            return;
        }
        int next = 0;
        for (RecurrentLayer layer : recurrentLayers()) {
            Map<String, INDArray> arrays = new HashMap<>();
            for (String key : stateKeys(layer)) {
                float[] values = state.arrays()[next++];
                int hidden = shape.model().hidden();
                arrays.put(key, Nd4j.createFromArray(values).reshape('c', values.length / hidden, hidden));
            }
            layer.rnnSetTBPTTState(arrays);
        }
    }

    private static List<String> stateKeys(RecurrentLayer layer) {
        return layer instanceof LSTM
                ? List.of(LSTM.STATE_KEY_PREV_ACTIVATION, LSTM.STATE_KEY_PREV_MEMCELL)
                : List.of(org.deeplearning4j.nn.layers.recurrent.SimpleRnn.STATE_KEY_PREV_ACTIVATION);
    }

    private List<RecurrentLayer> recurrentLayers() {
        List<RecurrentLayer> layers = new ArrayList<>();
        for (Layer layer : net.getLayers()) {
            if (layer instanceof RecurrentLayer recurrent) {
                layers.add(recurrent);
            }
        }
        return layers;
    }

    @Override
    public void close() {
        net.close();
    }
}
