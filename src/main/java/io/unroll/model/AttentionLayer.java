package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.kernel.OneDnn;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Global attention of a decoder to its source, with the score "general" (Luong et al. 2015). For a decoder's hidden
 * state h and the encoder's states s of all tokens of the source,
 *
 * <pre>
 *   a = softmax over s of (h Wa s)     c = sum of a s     output = tanh([c; h] Wc)
 * </pre>
 */
final class AttentionLayer implements Head {
    /**
     * Smaller attention weights become 0. Beside a weight of 1 they are far below the precision of float32, and their
     * products with gradients would be subnormal numbers, which processors multiply a hundred times slower.
     */
    private static final float MIN_WEIGHT = 1e-12f;

    private final int size;
    private final StepWorkspace workspace;
    private final FloatPointer scoreWeights;
    private final FloatPointer outputWeights;
    private final FloatPointer scoreWeightsGradient;
    private final FloatPointer outputWeightsGradient;

    /** For each source the encoder's states {@code [tokens, hidden]}, row-major. */
    private float[][] sources = {};

    private float[][] sourceGradient = {};
    /** For each lane the index of its source. */
    private int[] sourceOfLane = {};

    private int steps;
    private int rows;
    private INDArray hidden;
    private INDArray concatenated;
    private INDArray output;
    private float[] queries;
    /** For each step and lane the attention weights of the source's tokens. */
    private float[][] attentionWeights;

    /** @param parameters vector of {@link AttentionShape#parameters} numbers, like {@code gradient} */
    AttentionLayer(AttentionShape shape, INDArray parameters, INDArray gradient, StepWorkspace workspace) {
        this.size = shape.hidden();
        this.workspace = workspace;
        long square = (long) size * size;
        this.scoreWeights = NativeFloats.of(parameters);
        this.outputWeights = scoreWeights.getPointer(square);
        this.scoreWeightsGradient = NativeFloats.of(gradient);
        this.outputWeightsGradient = scoreWeightsGradient.getPointer(square);
    }

    /** Sets the sources; each lane attends to its own. */
    @Override
    public void setSources(float[][] states) {
        sources = states;
        selectSources(IntStream.range(0, states.length).toArray());
    }

    @Override
    public void selectSources(int[] source) {
        sourceOfLane = source;
    }

    @Override
    public INDArray forward(INDArray states, Batch batch) {
        steps = (int) states.size(0);
        rows = (int) (states.size(0) * states.size(1));
        hidden = states;
        INDArray query = array(size);
        OneDnn.multiplyByTransposed(rows, size, size, NativeFloats.of(hidden), scoreWeights, NativeFloats.of(query));
        queries = NativeFloats.copy(query);
        float[] hiddenValues = NativeFloats.copy(hidden);
        float[] contextAndHidden = new float[rows * 2 * size];
        attentionWeights = new float[rows][];
        for (int row = 0; row < rows; row++) {
            float[] source = sources[sourceOfLane[row % sourceOfLane.length]];
            attentionWeights[row] = softmax(scores(row, source));
            for (int token = 0; token < attentionWeights[row].length; token++) {
                add(attentionWeights[row][token], source, token * size, contextAndHidden, row * 2 * size);
            }
            System.arraycopy(hiddenValues, row * size, contextAndHidden, (row * 2 + 1) * size, size);
        }
        concatenated = array(2 * size);
        NativeFloats.of(concatenated).put(contextAndHidden);
        output = array(size);
        OneDnn.multiplyByTransposed(
                rows, 2 * size, size, NativeFloats.of(concatenated), outputWeights, NativeFloats.of(output));
        return Transforms.tanh(output, false).reshape('c', steps, rows / steps, size);
    }

    private INDArray array(int columns) {
        return workspace.array(rows, columns);
    }

    /** @return the dot product of a row of the queries with each state of the source */
    private float[] scores(int row, float[] source) {
        float[] scores = new float[source.length / size];
        for (int token = 0; token < scores.length; token++) {
            scores[token] = dot(queries, row * size, source, token * size);
        }
        return scores;
    }

    /** Uses four independent sums, which the processor adds in parallel. */
    private float dot(float[] left, int leftStart, float[] right, int rightStart) {
        float first = 0;
        float second = 0;
        float third = 0;
        float fourth = 0;
        int i = 0;
        for (; i + 3 < size; i += 4) {
            first += left[leftStart + i] * right[rightStart + i];
            second += left[leftStart + i + 1] * right[rightStart + i + 1];
            third += left[leftStart + i + 2] * right[rightStart + i + 2];
            fourth += left[leftStart + i + 3] * right[rightStart + i + 3];
        }
        for (; i < size; i++) {
            first += left[leftStart + i] * right[rightStart + i];
        }
        return first + second + third + fourth;
    }

    private static float[] softmax(float[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            max = Math.max(max, score);
        }
        float sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) Math.exp(scores[i] - max);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = scores[i] < sum * MIN_WEIGHT ? 0 : scores[i] / sum;
        }
        return scores;
    }

    private void add(float factor, float[] from, int start, float[] to, int target) {
        if (factor == 0) {
            return;
        }
        for (int i = 0; i < size; i++) {
            to[target + i] += factor * from[start + i];
        }
    }

    @Override
    public INDArray backward(INDArray outputGradient) {
        INDArray inner = array(size).assign(output);
        inner.muli(output).rsubi(1).muli(outputGradient.reshape('c', rows, size));
        OneDnn.addTransposedProduct(
                size, rows, 2 * size, NativeFloats.of(inner), NativeFloats.of(concatenated), outputWeightsGradient);
        INDArray concatenatedGradient = array(2 * size);
        OneDnn.multiply(
                rows, size, 2 * size, NativeFloats.of(inner), outputWeights, NativeFloats.of(concatenatedGradient));
        float[] contextAndHidden = NativeFloats.copy(concatenatedGradient);
        float[] queryGradient = new float[rows * size];
        float[] hiddenGradient = new float[rows * size];
        sourceGradient = new float[sources.length][];
        Arrays.setAll(sourceGradient, i -> new float[sources[i].length]);
        for (int row = 0; row < rows; row++) {
            int source = sourceOfLane[row % sourceOfLane.length];
            backward(row, contextAndHidden, sources[source], sourceGradient[source], queryGradient);
            System.arraycopy(contextAndHidden, (row * 2 + 1) * size, hiddenGradient, row * size, size);
        }
        INDArray queryRows = array(size);
        NativeFloats.of(queryRows).put(queryGradient);
        OneDnn.addTransposedProduct(
                size, rows, size, NativeFloats.of(queryRows), NativeFloats.of(hidden), scoreWeightsGradient);
        INDArray throughScores = array(size);
        OneDnn.multiply(rows, size, size, NativeFloats.of(queryRows), scoreWeights, NativeFloats.of(throughScores));
        INDArray states = array(size);
        NativeFloats.of(states).put(hiddenGradient);
        return states.addi(throughScores).reshape('c', steps, rows / steps, size);
    }

    /** @param contextAndHidden gradient with respect to {@link #concatenated} */
    private void backward(
            int row, float[] contextAndHidden, float[] source, float[] sourceGradient, float[] queryGradient) {
        float[] tokenWeights = attentionWeights[row];
        float[] gradient = new float[tokenWeights.length];
        int context = row * 2 * size;
        float mean = 0;
        for (int token = 0; token < tokenWeights.length; token++) {
            gradient[token] = tokenWeights[token] == 0 ? 0 : dot(contextAndHidden, context, source, token * size);
            mean += tokenWeights[token] * gradient[token];
        }
        for (int token = 0; token < tokenWeights.length; token++) {
            float score = tokenWeights[token] * (gradient[token] - mean);
            add(tokenWeights[token], contextAndHidden, context, sourceGradient, token * size);
            add(score, queries, row * size, sourceGradient, token * size);
            add(score, source, token * size, queryGradient, row * size);
        }
    }

    @Override
    public float[][] sourceGradient() {
        return sourceGradient;
    }
}
