package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.kernel.Embedding;
import io.unroll.kernel.OneDnn;
import io.unroll.kernel.Scratchpad;
import io.unroll.kernel.SoftmaxKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * One network with its optimizer and its recurrent state: embedding, recurrent layers of Deeplearning4j, softmax over
 * the vocabulary. What goes in and out are plain arrays; parameters are in the order of {@link ParameterOrder}. Not
 * safe for several threads.
 */
public final class Network implements AutoCloseable {
    private final NetworkShape shape;
    private final INDArray parameters;
    private final INDArray gradient;
    private final Scratchpad scratchpad = new Scratchpad();
    private final StepArrays arrays = new StepArrays();
    private final List<OneDnnLayer> layers = new ArrayList<>();
    private final Output output;
    private final Optimizer optimizer;
    private final FloatPointer optimizerState;
    private boolean packed;

    /** @param seed of the initial weights */
    public Network(NetworkShape shape, long seed) {
        Natives.useThreads(shape.threads());
        this.shape = shape;
        MultiLayerConfiguration configuration = Configurations.of(shape, seed);
        ParameterOrder order = new ParameterOrder(shape, configuration);
        boolean bfloat16 = computesInBfloat16(shape.model());
        this.parameters = Nd4j.createUninitialized(DataType.FLOAT, 1, order.total());
        this.gradient = Nd4j.create(DataType.FLOAT, 1, order.total());
        for (int i = 0; i < shape.model().layers(); i++) {
            layers.add(layer(configuration.getConf(i + 1), bfloat16, order.layer(i), order.layer(i + 1)));
        }
        this.output = new Output(
                shape.vocabulary(),
                bfloat16,
                configuration.getConf(layers.size() + 1).getLayer().getIDropout(),
                scratchpad,
                outputParameters(parameters, order),
                outputParameters(gradient, order));
        this.optimizer = new Optimizer(shape.optimizer(), order.total());
        this.optimizerState = new FloatPointer(optimizer.initialState());
        setParameters(initial(configuration, order));
    }

    /** @return whether this processor computes a model in bfloat16; float32 otherwise */
    public static boolean computesInBfloat16(Settings.Model model) {
        return model.precision() == Settings.Precision.BFLOAT16 && (model.emulateBfloat16() || OneDnn.hasBfloat16());
    }

    private OneDnnLayer layer(NeuralNetConfiguration configuration, boolean bfloat16, long start, long end) {
        OneDnnLayer layer = new OneDnnLayer(configuration, bfloat16, scratchpad);
        ParamInitializer initializer = configuration.getLayer().initializer();
        layer.setParamsViewArray(part(parameters, start, end));
        layer.setParamTable(initializer.init(configuration, part(parameters, start, end), false));
        layer.setBackpropGradientsViewArray(part(gradient, start, end));
        return layer;
    }

    private static INDArray part(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.all(), NDArrayIndex.interval(start, end));
    }

    private static SoftmaxKernel.Parameters outputParameters(INDArray vector, ParameterOrder order) {
        FloatPointer start = Floats.of(vector);
        return new SoftmaxKernel.Parameters(start.getPointer(order.outputWeights()), start.getPointer(order.bias()));
    }

    /** As Deeplearning4j starts the same network. */
    private static float[] initial(MultiLayerConfiguration configuration, ParameterOrder order) {
        MultiLayerNetwork net = new MultiLayerNetwork(configuration);
        net.init();
        float[] parameters = order.fromDeeplearning4j(net.params().data().asFloat());
        net.close();
        return parameters;
    }

    public NetworkShape shape() {
        return shape;
    }

    public float[] parameters() {
        return parameters.data().asFloat();
    }

    public void setParameters(float[] values) {
        Floats.of(parameters).put(values);
        parametersChanged();
    }

    /** @return what the optimizer remembers, in Deeplearning4j's order; empty where it remembers nothing */
    public float[] optimizerState() {
        float[] state = new float[optimizer.stateSize()];
        optimizerState.get(state);
        return state;
    }

    /** @param state empty for the one before the first step */
    public void setOptimizerState(float[] state) {
        optimizerState.put(state.length == 0 ? optimizer.initialState() : state);
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
        Natives.useThreads(shape.threads());
        Nd4j.getRandom().setSeed(dropoutSeed);
        Loss loss = backPropagate(batch);
        long counted = Math.max(1, loss.tokens());
        double norm = gradient.norm2Number().doubleValue() / counted;
        boolean clip = clipNorm > 0 && norm > clipNorm;
        optimizer.step(
                Floats.of(parameters),
                Floats.of(gradient),
                optimizerState,
                (float) ((clip ? clipNorm / norm : 1) / counted),
                learningRate,
                iteration);
        parametersChanged();
        return new Step(loss, norm, clip);
    }

    /** @return the gradient of the mean loss; neither parameters nor optimizer change */
    float[] gradient(Batch batch) {
        Loss loss = backPropagate(batch);
        return gradient.div(loss.tokens()).data().asFloat();
    }

    /** Leaves the gradient of the sum over the counted tokens. */
    private Loss backPropagate(Batch batch) {
        gradient.assign(0);
        arrays.restart();
        layers.forEach(OneDnnLayer::packEachPass);
        int[] inputs = timeMajor(batch, batch.inputs());
        INDArray values = embedded(inputs, batch);
        for (OneDnnLayer layer : layers) {
            values = layer.rnnActivateUsingStoredState(values, true, true, arrays);
        }
        Output.Trained trained = output.train(values.permute(2, 0, 1), timeMajor(batch, batch.targets()), arrays);
        INDArray error = trained.gradient().permute(1, 2, 0);
        for (int i = layers.size() - 1; i >= 0; i--) {
            error = layers.get(i).backpropGradient(error, arrays).getSecond();
        }
        Embedding.backward(Floats.of(error), shape.model().embedding(), inputs, Floats.of(gradient));
        return new Loss(trained.loss(), counted(batch));
    }

    /** @return the loss over one chunk, without dropout, the state carried as in training */
    public Loss evaluate(Batch batch) {
        INDArray hidden = infer(batch);
        return new Loss(output.loss(hidden, timeMajor(batch, batch.targets())), counted(batch));
    }

    /** @return unnormalised log-probabilities of what follows the token, {@code [vocabulary]} */
    public float[] next(int token) {
        return output.logits(infer(new Batch(1, 1, new int[] {token}, new int[1])));
    }

    /** @return the last layer's output, {@code [steps, lanes, hidden]} */
    private INDArray infer(Batch batch) {
        Natives.useThreads(shape.threads());
        arrays.restart();
        if (!packed) {
            layers.forEach(OneDnnLayer::keepPacked);
            packed = true;
        }
        INDArray values = embedded(timeMajor(batch, batch.inputs()), batch);
        for (OneDnnLayer layer : layers) {
            values = layer.rnnActivateUsingStoredState(values, false, true, arrays);
        }
        return values.permute(2, 0, 1);
    }

    private void parametersChanged() {
        packed = false;
        output.parametersChanged();
    }

    private INDArray embedded(int[] tokens, Batch batch) {
        int size = shape.model().embedding();
        long[] rows = {batch.steps(), batch.lanes(), size};
        INDArray embedded = arrays.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, rows, 'c');
        Embedding.lookUp(Floats.of(parameters), size, tokens, Floats.of(embedded));
        return embedded.permute(1, 2, 0);
    }

    private static int[] timeMajor(Batch batch, int[] tokens) {
        int[] turned = new int[tokens.length];
        for (int lane = 0; lane < batch.lanes(); lane++) {
            for (int step = 0; step < batch.steps(); step++) {
                turned[step * batch.lanes() + lane] = tokens[lane * batch.steps() + step];
            }
        }
        return turned;
    }

    private static long counted(Batch batch) {
        return IntStream.of(batch.targets())
                .filter(target -> target != Batch.IGNORED)
                .count();
    }

    public RecurrentState state() {
        List<float[]> all = new ArrayList<>();
        for (OneDnnLayer layer : layers) {
            if (layer.state() != null) {
                for (float[] array : layer.state()) {
                    all.add(array.clone());
                }
            }
        }
        return new RecurrentState(all.toArray(float[][]::new));
    }

    public void setState(RecurrentState state) {
        int arraysPerLayer = state.arrays().length / layers.size();
        for (int i = 0; i < layers.size(); i++) {
            float[][] own = new float[arraysPerLayer][];
            for (int j = 0; j < arraysPerLayer; j++) {
                own[j] = state.arrays()[i * arraysPerLayer + j].clone();
            }
            layers.get(i).setState(state.isZero() ? null : own);
        }
    }

    @Override
    public void close() {
        layers.forEach(OneDnnLayer::close);
        output.close();
        arrays.close();
        scratchpad.close();
        parameters.close();
        gradient.close();
        optimizerState.close();
    }
}
