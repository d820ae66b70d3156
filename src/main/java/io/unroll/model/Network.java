package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.kernel.KernelMemory;
import io.unroll.kernel.OneDnn;
import io.unroll.kernel.SoftmaxKernel;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network with its optimizer and its recurrent state: embedding, recurrent layers, pooling if a lane has one target,
 * and softmax over the classes; an encoder and attention if lanes have sources. Its interface uses plain arrays. The
 * parameters are in the order of {@link ParameterOrder}, followed by those of the encoder and the attention. Not
 * thread-safe.
 */
public final class Network implements AutoCloseable {
    static {
        Natives.liftLimits();
    }

    private final NetworkShape shape;
    private final INDArray parameters;
    private final INDArray gradient;
    private final KernelMemory kernelMemory = new KernelMemory();
    private final StepWorkspace workspace = new StepWorkspace();
    private final RecurrentStack recurrentStack;
    private final Encoder encoder;
    private final AttentionLayer attention;
    private final LanePooling pooling;
    private final SoftmaxOutput output;
    private final OptimizerStep optimizer;
    private final FloatPointer optimizerState;
    private boolean packed;

    /** @param seed of the initial weights */
    public Network(NetworkShape shape, long seed) {
        this(shape);
        setParameters(Natives.withThreads(shape.threads(), () -> shape.initialParameters(seed)));
    }

    /** Creates a network whose weights are 0 until {@link #setParameters}. */
    public Network(NetworkShape shape) {
        Natives.useThreads(shape.threads());
        this.shape = shape;
        MultiLayerConfiguration configuration = Configurations.of(shape, EncoderShape.UNUSED_SEED);
        ParameterOrder order = new ParameterOrder(shape, configuration);
        int total = shape.parameters();
        this.parameters = Nd4j.create(DataType.FLOAT, 1, total);
        this.gradient = Nd4j.create(DataType.FLOAT, 1, total);
        this.recurrentStack =
                new RecurrentStack(shape, configuration, order, parameters, gradient, workspace, kernelMemory);
        this.encoder = shape.encoder() == null ? null : encoder(order.total());
        this.attention = shape.attention() == null ? null : attention(total);
        this.pooling = shape.pooling() == NetworkShape.PoolingMode.NONE ? null : new LanePooling(shape.pooling());
        this.output = new SoftmaxOutput(
                shape.outputs(),
                computesInBfloat16(shape.model()),
                shape.model().regularization().labelSmoothing(),
                configuration
                        .getConf(configuration.getConfs().size() - 1)
                        .getLayer()
                        .getIDropout(),
                kernelMemory,
                outputParameters(parameters, order),
                outputParameters(gradient, order));
        this.optimizer = new OptimizerStep(shape.optimizer(), total);
        this.optimizerState = new FloatPointer(optimizer.initialState());
    }

    /** @return whether the model runs in bfloat16 on this processor; otherwise it runs in float32 */
    public static boolean computesInBfloat16(Settings.Model model) {
        return model.precision() == Settings.Precision.BFLOAT16 && (model.emulateBfloat16() || OneDnn.hasBfloat16());
    }

    private AttentionLayer attention(int end) {
        int start = end - shape.attention().parameters();
        return new AttentionLayer(
                shape.attention(),
                RecurrentStack.slice(parameters, start, end),
                RecurrentStack.slice(gradient, start, end),
                workspace);
    }

    private Encoder encoder(int start) {
        if (shape.encoder() instanceof NetworkShape text) {
            return shape.bidirectional()
                    ? new BidirectionalEncoder(encoder(text, start), encoder(text, start + text.parameters()))
                    : encoder(text, start);
        }
        ImageShape image = (ImageShape) shape.encoder();
        int end = start + image.parameters();
        int resultArrays = startsWithImage() ? 1 : shape.stateArrays();
        return new ImageEncoder(
                image,
                resultArrays,
                RecurrentStack.slice(parameters, start, end),
                RecurrentStack.slice(gradient, start, end));
    }

    private TextEncoder encoder(NetworkShape text, int start) {
        int end = start + text.parameters();
        INDArray textParameters = RecurrentStack.slice(parameters, start, end);
        INDArray textGradient = RecurrentStack.slice(gradient, start, end);
        boolean keepsTokenStates = shape.attention() != null;
        return new TextEncoder(text, textParameters, textGradient, workspace, kernelMemory, keepsTokenStates);
    }

    /** @return whether the lowest layer reads the encoded image in the first step */
    private boolean startsWithImage() {
        return shape.encoder() instanceof ImageShape image && image.place() == ImageShape.Place.FIRST_STEP;
    }

    private static SoftmaxKernel.Parameters outputParameters(INDArray vector, ParameterOrder order) {
        FloatPointer start = NativeFloats.of(vector);
        return new SoftmaxKernel.Parameters(start.getPointer(order.outputWeights()), start.getPointer(order.bias()));
    }

    public NetworkShape shape() {
        return shape;
    }

    /** @return a copy of all parameters */
    public float[] parameters() {
        return parameters.data().asFloat();
    }

    /** @param values {@link NetworkShape#parameters} numbers */
    public void setParameters(float[] values) {
        NativeFloats.of(parameters).put(values);
        parametersChanged();
    }

    /** @return the optimizer's state, array by array, each like {@link #parameters}; empty for SGD */
    public float[] optimizerState() {
        float[] state = new float[optimizer.stateSize()];
        optimizerState.get(state);
        return state;
    }

    /** @param state empty for the initial state */
    public void setOptimizerState(float[] state) {
        optimizerState.put(state.length == 0 ? optimizer.initialState() : state);
    }

    /**
     * The result of one training step.
     *
     * @param loss sum over the batch, without label smoothing
     * @param gradientNorm global L2 norm of the gradient of the mean loss (nats per token, with label smoothing),
     *     before clipping
     */
    public record Step(Loss loss, double gradientNorm, boolean clipped) {}

    /**
     * Trains on one chunk. It starts from the carried state and carries the chunk's last state to the next call.
     *
     * @param clipNorm maximum gradient norm; 0 for no clipping
     * @param iteration number of optimizer steps before this one
     * @param dropoutSeed seed of the dropout masks of this step
     */
    public Step train(Batch batch, double learningRate, double clipNorm, int iteration, long dropoutSeed) {
        return Natives.withThreads(shape.threads(), () -> step(batch, learningRate, clipNorm, iteration, dropoutSeed));
    }

    private Step step(Batch batch, double learningRate, double clipNorm, int iteration, long dropoutSeed) {
        Nd4j.getRandom().setSeed(dropoutSeed);
        Loss loss = backPropagate(batch);
        long targets = Math.max(1, loss.tokens());
        // ND4J's own norm splits its sum by the number of cores, so clipped gradients would differ between machines.
        double norm = Nd4j.getBlasWrapper().nrm2(gradient) / targets;
        boolean clip = clipNorm > 0 && norm > clipNorm;
        optimizer.step(
                NativeFloats.of(parameters),
                NativeFloats.of(gradient),
                optimizerState,
                (float) ((clip ? clipNorm / norm : 1) / targets),
                learningRate,
                iteration);
        parametersChanged();
        return new Step(loss, norm, clip);
    }

    /** @return the gradient of the mean loss; parameters and optimizer do not change */
    float[] gradient(Batch batch) {
        Loss loss = backPropagate(batch);
        return gradient.div(loss.tokens()).data().asFloat();
    }

    /**
     * Returns the gradient of the batch's loss, the sum in nats over its targets, with respect to the state before its
     * first step. Parameters and optimizer do not change; the last state is carried as in training.
     */
    public RecurrentState stateGradient(Batch batch) {
        return Natives.withThreads(shape.threads(), () -> {
            Nd4j.getRandom().setSeed(1);
            backPropagate(batch);
            return new RecurrentState(recurrentStack.stateGradient());
        });
    }

    /** Computes the loss, a sum over the batch's targets, and its gradient in {@link #gradient}. */
    private Loss backPropagate(Batch batch) {
        gradient.assign(0);
        workspace.restart();
        recurrentStack.packEachPass();
        SoftmaxOutput.OutputGradient outputGradient = output.train(hidden(batch, true), targets(batch), workspace);
        INDArray hiddenGradient =
                pooling == null ? outputGradient.gradient() : pooling.backward(outputGradient.gradient(), workspace);
        recurrentStack.backward(attention == null ? hiddenGradient : attention.backward(hiddenGradient));
        if (encoder != null) {
            encoder.backward(
                    startsWithImage()
                            ? new float[][] {recurrentStack.firstStepGradient()}
                            : recurrentStack.stateGradient(),
                    attention == null ? null : attention.sourceGradient());
        }
        return new Loss(outputGradient.loss(), targetCount(batch));
    }

    /** @return the loss over one chunk, without dropout; the state is carried as in training */
    public Loss evaluate(Batch batch) {
        return Natives.withThreads(
                shape.threads(), () -> new Loss(output.loss(infer(batch), targets(batch)), targetCount(batch)));
    }

    /**
     * @return logits, row-major: {@code [lanes, outputs]} with pooling, otherwise {@code [steps, lanes, outputs]}
     */
    public float[] logits(Batch batch) {
        return Natives.withThreads(shape.threads(), () -> output.logits(infer(batch)));
    }

    /** @return logits of the token after {@code token}, {@code [vocabulary]} */
    public float[] nextLogits(int token) {
        return logits(new Batch(1, 1, new int[] {token}, new int[1]));
    }

    /** @return like {@link #hidden}, without dropout */
    private INDArray infer(Batch batch) {
        workspace.restart();
        if (!packed) {
            recurrentStack.packOnce();
            packed = true;
        }
        return hidden(batch, false);
    }

    /** @return the output layer's input, {@code [steps, lanes, hidden]}, or {@code [1, lanes, hidden]} with pooling */
    private INDArray hidden(Batch batch, boolean training) {
        if (batch.sources() != null) {
            encodeSources(batch.sources(), training);
        } else if (!batch.carriesState()) {
            recurrentStack.setState(new float[0][]);
        }
        INDArray steps =
                recurrentStack.forward(timeMajor(batch, batch.inputs()), batch.lanes(), training, batch.carriesState());
        if (!batch.carriesState()) {
            recurrentStack.setState(new float[0][]);
        }
        if (attention != null) {
            return attention.forward(steps);
        }
        return pooling == null ? steps : pooling.forward(steps, batch.lengths(), workspace);
    }

    private int[] targets(Batch batch) {
        return pooling == null ? timeMajor(batch, batch.targets()) : batch.targets();
    }

    private void parametersChanged() {
        packed = false;
        output.parametersChanged();
        if (encoder != null) {
            encoder.parametersChanged();
        }
    }

    private static int[] timeMajor(Batch batch, int[] tokens) {
        int[] result = new int[tokens.length];
        for (int lane = 0; lane < batch.lanes(); lane++) {
            for (int step = 0; step < batch.steps(); step++) {
                result[step * batch.lanes() + lane] = tokens[lane * batch.steps() + step];
            }
        }
        return result;
    }

    private static long targetCount(Batch batch) {
        return IntStream.of(batch.targets())
                .filter(target -> target != Batch.IGNORED)
                .count();
    }

    public RecurrentState state() {
        return new RecurrentState(copy(recurrentStack.state()));
    }

    public void setState(RecurrentState state) {
        recurrentStack.setState(copy(state.arrays()));
    }

    private static float[][] copy(float[][] arrays) {
        return Arrays.stream(arrays).map(float[]::clone).toArray(float[][]::new);
    }

    /** Encodes the lanes' sources; the next batch starts from their states. */
    public void encode(int[][] sources) {
        Natives.withThreads(shape.threads(), () -> {
            workspace.restart();
            encodeSources(sources, false);
            if (startsWithImage()) {
                recurrentStack.packOnce();
                recurrentStack.forward(new int[sources.length], sources.length, false, true);
            }
            return null;
        });
    }

    /**
     * Sets the sources to which the lanes of the next batches attend, for example after beam search has reordered them.
     *
     * @param sources for each lane the index of its source in the last {@link #encode}
     */
    public void selectSources(int[] sources) {
        if (attention != null) {
            attention.selectSources(sources);
        }
    }

    private void encodeSources(int[][] sources, boolean training) {
        float[][] encoded = encoder.encode(sources, training);
        if (attention != null) {
            attention.setSources(encoder.tokenStates());
        }
        if (startsWithImage()) {
            recurrentStack.setState(new float[0][]);
            recurrentStack.setFirstStep(encoded[0]);
        } else {
            recurrentStack.setState(encoded);
        }
    }

    @Override
    public void close() {
        recurrentStack.close();
        if (encoder != null) {
            encoder.close();
        }
        output.close();
        workspace.close();
        kernelMemory.close();
        parameters.close();
        gradient.close();
        optimizerState.close();
    }
}
