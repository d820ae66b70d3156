package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.kernel.OneDnn;
import io.unroll.kernel.Scratchpad;
import io.unroll.kernel.SoftmaxKernel;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One network with its optimizer and its recurrent state: embedding, recurrent layers of Deeplearning4j, a pooling where
 * a lane has one target, softmax over classes; and an encoder where a lane has a source. What goes in and out are plain
 * arrays; parameters are in the order of {@link ParameterOrder}, and the encoder's follow. Not safe for several
 * threads.
 */
public final class Network implements AutoCloseable {
    static {
        Natives.liftLimits();
    }

    private final NetworkShape shape;
    private final INDArray parameters;
    private final INDArray gradient;
    private final Scratchpad scratchpad = new Scratchpad();
    private final StepArrays arrays = new StepArrays();
    private final Stack stack;
    private final Encoder encoder;
    private final Attention attention;
    private final Pool pool;
    private final Output output;
    private final Optimizer optimizer;
    private final FloatPointer optimizerState;
    private boolean packed;

    /** @param seed of the initial weights */
    public Network(NetworkShape shape, long seed) {
        this(shape);
        setParameters(Natives.use(shape.threads(), () -> shape.initial(seed)));
    }

    /** A network whose weights are zero until {@link #setParameters}. */
    public Network(NetworkShape shape) {
        Natives.useThreads(shape.threads());
        this.shape = shape;
        MultiLayerConfiguration configuration = Configurations.of(shape, EncoderShape.UNUSED_SEED);
        ParameterOrder order = new ParameterOrder(shape, configuration);
        int total = shape.parameters();
        this.parameters = Nd4j.create(DataType.FLOAT, 1, total);
        this.gradient = Nd4j.create(DataType.FLOAT, 1, total);
        this.stack = new Stack(shape, configuration, order, parameters, gradient, arrays, scratchpad);
        this.encoder = shape.encoder() == null ? null : encoder(order.total());
        this.attention = shape.attention() == null ? null : attention(total);
        this.pool = shape.pooling() == NetworkShape.Pooling.NONE ? null : new Pool(shape.pooling());
        this.output = new Output(
                shape.outputs(),
                computesInBfloat16(shape.model()),
                shape.model().regularization().labelSmoothing(),
                configuration
                        .getConf(configuration.getConfs().size() - 1)
                        .getLayer()
                        .getIDropout(),
                scratchpad,
                outputParameters(parameters, order),
                outputParameters(gradient, order));
        this.optimizer = new Optimizer(shape.optimizer(), total);
        this.optimizerState = new FloatPointer(optimizer.initialState());
    }

    /** @return whether this processor computes a model in bfloat16; float32 otherwise */
    public static boolean computesInBfloat16(Settings.Model model) {
        return model.precision() == Settings.Precision.BFLOAT16 && (model.emulateBfloat16() || OneDnn.hasBfloat16());
    }

    private Attention attention(int end) {
        int start = end - shape.attention().parameters();
        return new Attention(
                shape.attention(), Stack.part(parameters, start, end), Stack.part(gradient, start, end), arrays);
    }

    private Encoder encoder(int start) {
        if (shape.encoder() instanceof NetworkShape text) {
            return shape.bidirectional()
                    ? new BidirectionalEncoder(encoder(text, start), encoder(text, start + text.parameters()))
                    : encoder(text, start);
        }
        ImageShape image = (ImageShape) shape.encoder();
        int end = start + image.parameters();
        int arrays = startsWithImage() ? 1 : shape.stateArrays();
        return new ImageEncoder(image, arrays, Stack.part(parameters, start, end), Stack.part(gradient, start, end));
    }

    private TextEncoder encoder(NetworkShape text, int start) {
        int end = start + text.parameters();
        INDArray own = Stack.part(parameters, start, end);
        INDArray ownGradient = Stack.part(gradient, start, end);
        return new TextEncoder(text, own, ownGradient, arrays, scratchpad, shape.attention() != null);
    }

    /** @return whether the source is what the lowest layer reads first; otherwise it is the state to start from */
    private boolean startsWithImage() {
        return shape.encoder() instanceof ImageShape image && image.place() == ImageShape.Place.FIRST_STEP;
    }

    private static SoftmaxKernel.Parameters outputParameters(INDArray vector, ParameterOrder order) {
        FloatPointer start = Floats.of(vector);
        return new SoftmaxKernel.Parameters(start.getPointer(order.outputWeights()), start.getPointer(order.bias()));
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
     * @param gradientNorm global L2 norm before clipping, of the mean loss in nats per token, labels smoothed
     */
    public record Step(Loss loss, double gradientNorm, boolean clipped) {}

    /**
     * Trains on one chunk, starting from the carried state and leaving the chunk's last state to be carried on.
     *
     * @param iteration optimizer steps that came before this one
     * @param dropoutSeed decides what is dropped in this step
     */
    public Step train(Batch batch, double learningRate, double clipNorm, int iteration, long dropoutSeed) {
        return Natives.use(shape.threads(), () -> step(batch, learningRate, clipNorm, iteration, dropoutSeed));
    }

    private Step step(Batch batch, double learningRate, double clipNorm, int iteration, long dropoutSeed) {
        Nd4j.getRandom().setSeed(dropoutSeed);
        Loss loss = backPropagate(batch);
        long counted = Math.max(1, loss.tokens());
        // ND4J's own norm adds up as many sums as the machine has cores: clipped weights would be others on others.
        double norm = Nd4j.getBlasWrapper().nrm2(gradient) / counted;
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

    /**
     * How far back a loss is felt; neither parameters nor optimizer change, and the state goes on.
     *
     * @return the gradient of the sum over the batch's counted tokens, in nats, with respect to the state before its
     *     first step
     */
    public RecurrentState stateGradient(Batch batch) {
        return Natives.use(shape.threads(), () -> {
            Nd4j.getRandom().setSeed(1);
            backPropagate(batch);
            return new RecurrentState(stack.stateGradient());
        });
    }

    /** Leaves the gradient of the sum over the counted tokens. */
    private Loss backPropagate(Batch batch) {
        gradient.assign(0);
        arrays.restart();
        stack.packEachPass();
        Output.Trained trained = output.train(hidden(batch, true), targets(batch), arrays);
        INDArray error = pool == null ? trained.gradient() : pool.backward(trained.gradient(), arrays);
        stack.backward(attention == null ? error : attention.backward(error));
        if (encoder != null) {
            encoder.backward(
                    startsWithImage() ? new float[][] {stack.firstStepGradient()} : stack.stateGradient(),
                    attention == null ? null : attention.sourceGradient());
        }
        return new Loss(trained.loss(), counted(batch));
    }

    /** @return the loss over one chunk, without dropout, the state carried as in training */
    public Loss evaluate(Batch batch) {
        return Natives.use(shape.threads(), () -> new Loss(output.loss(infer(batch), targets(batch)), counted(batch)));
    }

    /**
     * @return unnormalised log-probabilities, row by row: {@code [lanes, outputs]} where lanes are pooled, and otherwise
     *     {@code [steps, lanes, outputs]}
     */
    public float[] logits(Batch batch) {
        return Natives.use(shape.threads(), () -> output.logits(infer(batch)));
    }

    /** @return unnormalised log-probabilities of what follows the token, {@code [vocabulary]} */
    public float[] next(int token) {
        return logits(new Batch(1, 1, new int[] {token}, new int[1]));
    }

    /** @return what the output sees, as {@link #hidden} */
    private INDArray infer(Batch batch) {
        arrays.restart();
        if (!packed) {
            stack.keepPacked();
            packed = true;
        }
        return hidden(batch, false);
    }

    /** @return what the output sees, {@code [steps, lanes, hidden]}, or {@code [1, lanes, hidden]} where lanes are pooled */
    private INDArray hidden(Batch batch, boolean training) {
        if (batch.sources() != null) {
            start(batch.sources(), training);
        } else if (!batch.goesOn()) {
            stack.setState(new float[0][]);
        }
        INDArray steps = stack.forward(timeMajor(batch, batch.inputs()), batch.lanes(), training, batch.goesOn());
        if (!batch.goesOn()) {
            stack.setState(new float[0][]);
        }
        if (attention != null) {
            return attention.forward(steps);
        }
        return pool == null ? steps : pool.forward(steps, batch.lengths(), arrays);
    }

    private int[] targets(Batch batch) {
        return pool == null ? timeMajor(batch, batch.targets()) : batch.targets();
    }

    private void parametersChanged() {
        packed = false;
        output.parametersChanged();
        if (encoder != null) {
            encoder.parametersChanged();
        }
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
        return new RecurrentState(copy(stack.state()));
    }

    public void setState(RecurrentState state) {
        stack.setState(copy(state.arrays()));
    }

    private static float[][] copy(float[][] arrays) {
        return Arrays.stream(arrays).map(float[]::clone).toArray(float[][]::new);
    }

    /** Reads the lanes' sources; the next batch goes on from there. */
    public void read(int[][] sources) {
        Natives.use(shape.threads(), () -> {
            arrays.restart();
            start(sources, false);
            if (startsWithImage()) {
                stack.keepPacked();
                stack.forward(new int[sources.length], sources.length, false, true);
            }
            return null;
        });
    }

    /**
     * Lanes of the next batches go on from other places than they have read.
     *
     * @param sources of each lane, its place among those of the last {@link #read}
     */
    public void follow(int[] sources) {
        if (attention != null) {
            attention.follow(sources);
        }
    }

    private void start(int[][] sources, boolean training) {
        float[][] read = encoder.encode(sources, training);
        if (attention != null) {
            attention.read(encoder.states());
        }
        if (startsWithImage()) {
            stack.setState(new float[0][]);
            stack.setFirstStep(read[0]);
        } else {
            stack.setState(read);
        }
    }

    @Override
    public void close() {
        stack.close();
        if (encoder != null) {
            encoder.close();
        }
        output.close();
        arrays.close();
        scratchpad.close();
        parameters.close();
        gradient.close();
        optimizerState.close();
    }
}
