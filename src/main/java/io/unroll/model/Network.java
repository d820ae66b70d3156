package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.kernel.OneDnn;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A network with its optimizer and its recurrent state: embedding, recurrent layers, pooling if a lane has one target,
 * and softmax over the classes; an encoder and attention if lanes have sources. Its interface uses plain arrays. The
 * parameters are in the order of {@link ParameterOrder}, followed by those of the encoder and the attention. Not
 * thread-safe.
 */
public final class Network implements Trainee {
    static {
        Natives.liftLimits();
    }

    private final NetworkShape shape;
    private final INDArray parameters;
    private final INDArray gradient;
    private final StepWorkspace workspace = new StepWorkspace();
    private final RecurrentStack recurrentStack;
    private final Encoder encoder;
    private final Head head;
    private final SoftmaxOutput output;
    private final OptimizerStep optimizer;
    private final FloatPointer optimizerState;

    /** @param seed of the initial weights */
    public Network(NetworkShape shape, long seed) {
        this(shape);
        setParameters(Natives.withThreads(shape.threads(), () -> shape.initialParameters(seed)));
    }

    /** Creates a network whose weights are 0 until {@link #setParameters}. */
    public Network(NetworkShape shape) {
        Natives.useThreads(shape.threads());
        this.shape = shape;
        int total = shape.parameters();
        this.parameters = Nd4j.create(DataType.FLOAT, 1, total);
        this.gradient = Nd4j.create(DataType.FLOAT, 1, total);
        this.recurrentStack = new RecurrentStack(shape, parameters, gradient, workspace);
        this.encoder = shape.part(NetworkShape.Role.ENCODER).map(this::encoder).orElse(Encoder.NONE);
        this.head = shape.pools()
                ? new LanePooling(shape.model().pooling(), workspace)
                : shape.part(NetworkShape.Role.ATTENTION)
                        .<Head>map(this::attention)
                        .orElse(Head.TOKENS);
        this.output = new SoftmaxOutput(shape, parameters, gradient, workspace);
        this.optimizer = new OptimizerStep(shape.optimizer(), total);
        this.optimizerState = new FloatPointer(optimizer.initialState());
    }

    private Encoder encoder(NetworkShape.Part part) {
        if (part.shape() instanceof ImageShape image) {
            int arrays = image.place() == ImageShape.Place.FIRST_STEP ? 1 : shape.stateArrays();
            return new ImageEncoder(image, arrays, slice(parameters, part), slice(gradient, part));
        }
        TextEncoder first = textEncoder(part);
        return shape.part(NetworkShape.Role.ENCODER_FORWARD)
                .<Encoder>map(second -> new BidirectionalEncoder(first, textEncoder(second)))
                .orElse(first);
    }

    private TextEncoder textEncoder(NetworkShape.Part part) {
        return new TextEncoder((NetworkShape) part.shape(), slice(parameters, part), slice(gradient, part), workspace);
    }

    private AttentionLayer attention(NetworkShape.Part part) {
        return new AttentionLayer(
                (AttentionShape) part.shape(), slice(parameters, part), slice(gradient, part), workspace);
    }

    private static INDArray slice(INDArray vector, NetworkShape.Part part) {
        return vector.get(NDArrayIndex.all(), NDArrayIndex.interval(part.start(), part.start() + part.size()));
    }

    /** @return whether the model runs in bfloat16 on this processor; otherwise it runs in float32 */
    public static boolean computesInBfloat16(Settings.Model model) {
        return model.precision() == Settings.Precision.BFLOAT16 && (model.emulateBfloat16() || OneDnn.hasBfloat16());
    }

    public NetworkShape shape() {
        return shape;
    }

    @Override
    public float[] parameters() {
        return parameters.data().asFloat();
    }

    /** @param values {@link NetworkShape#parameters} numbers */
    @Override
    public void setParameters(float[] values) {
        NativeFloats.of(parameters).put(values);
        parametersChanged();
    }

    /** @return the optimizer's state, array by array, each like {@link #parameters}; empty for SGD */
    @Override
    public float[] optimizerState() {
        float[] state = new float[optimizer.stateSize()];
        optimizerState.get(state);
        return state;
    }

    @Override
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
            return recurrentStack.stateGradient();
        });
    }

    /** Computes the loss, a sum over the batch's targets, and its gradient in {@link #gradient}. */
    private Loss backPropagate(Batch batch) {
        gradient.assign(0);
        workspace.restart();
        SoftmaxOutput.OutputGradient outputGradient =
                output.train(hidden(batch, true), head.targets(batch), batch.gradientFactors());
        recurrentStack.backward(head.backward(outputGradient.gradient()), RecurrentState.ZERO);
        encoder.backward(recurrentStack, head);
        return new Loss(outputGradient.loss(), targetCount(batch));
    }

    /** @return the loss over one chunk, without dropout; the state is carried as in training */
    public Loss evaluate(Batch batch) {
        return Natives.withThreads(
                shape.threads(), () -> new Loss(output.loss(infer(batch), head.targets(batch)), targetCount(batch)));
    }

    /**
     * @return logits, row-major: {@code [lanes, outputs]} with pooling, otherwise {@code [steps, lanes, outputs]}
     */
    public float[] logits(Batch batch) {
        return Natives.withThreads(shape.threads(), () -> output.logits(infer(batch)));
    }

    /**
     * @return logarithms of the probabilities of the tokens after each step, in nats, {@code [steps, lanes, outputs]},
     *     row-major
     */
    public float[] logProbabilities(Batch batch) {
        return Natives.withThreads(shape.threads(), () -> output.logProbabilities(infer(batch)));
    }

    /** @return outputs of the highest recurrent layer, {@code [steps, lanes, hidden]}, row-major */
    public float[] hiddenStates(Batch batch) {
        return Natives.withThreads(shape.threads(), () -> {
            workspace.restart();
            INDArray states = recurrent(batch, false);
            float[] values = new float[Math.toIntExact(states.length())];
            NativeFloats.of(states).get(values);
            return values;
        });
    }

    /**
     * @param pooled outputs of the highest recurrent layer, reduced to one row for each lane, {@code [lanes, hidden]}
     * @return logarithms of the probabilities of the classes, in nats, {@code [lanes, outputs]}, row-major
     */
    public float[] logProbabilitiesOfPooled(float[] pooled) {
        return Natives.withThreads(shape.threads(), () -> {
            workspace.restart();
            int hidden = shape.model().hidden();
            INDArray rows = workspace.array(1, pooled.length / hidden, hidden);
            NativeFloats.of(rows).put(pooled);
            return output.logProbabilities(rows);
        });
    }

    /** @return logits of the token after {@code token}, {@code [vocabulary]} */
    public float[] nextLogits(int token) {
        return logits(new Batch(1, 1, new int[] {token}, new int[1]));
    }

    /** @return like {@link #hidden}, without dropout */
    private INDArray infer(Batch batch) {
        workspace.restart();
        return hidden(batch, false);
    }

    /** @return the output layer's input */
    private INDArray hidden(Batch batch, boolean training) {
        return head.forward(recurrent(batch, training), batch);
    }

    private INDArray recurrent(Batch batch, boolean training) {
        if (batch.startsAtZero()) {
            recurrentStack.setState(RecurrentState.ZERO);
        }
        if (batch.sources() != null) {
            encoder.encode(batch.sources(), training, recurrentStack, head);
        }
        int[] tokens = Head.timeMajor(batch, batch.inputs());
        return recurrentStack.forward(tokens, batch.lanes(), training, batch.carriesState());
    }

    private void parametersChanged() {
        recurrentStack.parametersChanged();
        output.parametersChanged();
        encoder.parametersChanged();
    }

    private static long targetCount(Batch batch) {
        return IntStream.of(batch.targets())
                .filter(target -> target != Batch.IGNORED)
                .count();
    }

    @Override
    public RecurrentState state() {
        return recurrentStack.state();
    }

    @Override
    public void setState(RecurrentState state) {
        recurrentStack.setState(state);
    }

    /** Encodes the lanes' sources; the next batch starts from their states. */
    public void encode(int[][] sources) {
        Natives.withThreads(shape.threads(), () -> {
            workspace.restart();
            encoder.encode(sources, false, recurrentStack, head);
            recurrentStack.runFirstStep();
            return null;
        });
    }

    /**
     * Sets the sources to which the lanes of the next batches attend, for example after beam search has reordered them.
     *
     * @param sources for each lane the index of its source in the last {@link #encode}
     */
    public void selectSources(int[] sources) {
        head.selectSources(sources);
    }

    @Override
    public void close() {
        recurrentStack.close();
        encoder.close();
        output.close();
        workspace.close();
        parameters.close();
        gradient.close();
        optimizerState.close();
    }
}
