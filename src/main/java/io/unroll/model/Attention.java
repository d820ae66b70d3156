package io.unroll.model;

import io.unroll.kernel.OneDnn;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * What a decoder sees of its source at each step (Luong et al. 2015, "general", global): with hidden state h and the
 * states s of all the source's tokens,
 *
 * <pre>
 *   a = softmax over s of (h Wa s)     c = sum of a s     output = tanh([c; h] Wc)
 * </pre>
 */
final class Attention {
    /**
     * A weight below is none: beside 1 it is far below what float32 tells apart, and its products with gradients would
     * be subnormal numbers, which processors multiply a hundred times slower.
     */
    private static final float LEAST_WEIGHT = 1e-12f;

    private final int size;
    private final StepArrays arrays;
    private final FloatPointer scoreWeights;
    private final FloatPointer outputWeights;
    private final FloatPointer scoreGradient;
    private final FloatPointer outputGradient;

    /** Of each source, row by row {@code [tokens, hidden]}. */
    private float[][] sources = {};

    private float[][] sourceGradient = {};
    /** Of each lane, which source. */
    private int[] reads = {};

    private int steps;
    private int rows;
    private INDArray hidden;
    private INDArray joined;
    private INDArray output;
    private float[] queries;
    /** Of each step and lane, over the source's tokens. */
    private float[][] weights;

    /** @param parameters and gradient of an {@link AttentionShape} */
    Attention(AttentionShape shape, INDArray parameters, INDArray gradient, StepArrays arrays) {
        this.size = shape.hidden();
        this.arrays = arrays;
        long square = (long) size * size;
        this.scoreWeights = Floats.of(parameters);
        this.outputWeights = scoreWeights.getPointer(square);
        this.scoreGradient = Floats.of(gradient);
        this.outputGradient = scoreGradient.getPointer(square);
    }

    /** @param states of each lane's source, row by row {@code [tokens, hidden]} */
    void read(float[][] states) {
        sources = states;
        int[] each = new int[states.length];
        Arrays.setAll(each, lane -> lane);
        follow(each);
    }

    /** @param source of each lane, among those that are read */
    void follow(int[] source) {
        reads = source;
    }

    /**
     * @param states {@code [steps, lanes, hidden]} row by row, which must stay until the backward pass
     * @return the same of the outputs
     */
    INDArray forward(INDArray states) {
        steps = (int) states.size(0);
        rows = (int) (states.size(0) * states.size(1));
        hidden = states;
        INDArray query = array(size);
        OneDnn.multiplyByTransposed(rows, size, size, Floats.of(hidden), scoreWeights, Floats.of(query));
        queries = Floats.copy(query);
        float[] own = Floats.copy(hidden);
        float[] both = new float[rows * 2 * size];
        weights = new float[rows][];
        for (int row = 0; row < rows; row++) {
            float[] source = sources[reads[row % reads.length]];
            weights[row] = softmax(scores(queries, row, source));
            for (int token = 0; token < weights[row].length; token++) {
                add(weights[row][token], source, token * size, both, row * 2 * size);
            }
            System.arraycopy(own, row * size, both, (row * 2 + 1) * size, size);
        }
        joined = array(2 * size);
        Floats.of(joined).put(both);
        output = array(size);
        OneDnn.multiplyByTransposed(rows, 2 * size, size, Floats.of(joined), outputWeights, Floats.of(output));
        return Transforms.tanh(output, false).reshape('c', steps, rows / steps, size);
    }

    private INDArray array(int columns) {
        return arrays.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, new long[] {rows, columns}, 'c');
    }

    /** @return the row's product with each of the source's states */
    private float[] scores(float[] rows, int row, float[] source) {
        float[] scores = new float[source.length / size];
        for (int token = 0; token < scores.length; token++) {
            scores[token] = dot(rows, row * size, source, token * size);
        }
        return scores;
    }

    /** In four sums, none of which has to wait for the one before. */
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
        float most = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            most = Math.max(most, score);
        }
        float sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) Math.exp(scores[i] - most);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = scores[i] < sum * LEAST_WEIGHT ? 0 : scores[i] / sum;
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

    /**
     * Of the last {@link #forward}; adds to the parameters' gradient.
     *
     * @param error gradient with respect to the outputs, {@code [steps, lanes, hidden]}
     * @return gradient with respect to the states, the same
     */
    INDArray backward(INDArray error) {
        INDArray inner = array(size).assign(output);
        inner.muli(output).rsubi(1).muli(error.reshape('c', rows, size));
        OneDnn.addTransposedTimes(size, rows, 2 * size, Floats.of(inner), Floats.of(joined), outputGradient);
        INDArray joinedGradient = array(2 * size);
        OneDnn.multiply(rows, size, 2 * size, Floats.of(inner), outputWeights, Floats.of(joinedGradient));
        float[] both = Floats.copy(joinedGradient);
        float[] queryGradient = new float[rows * size];
        float[] own = new float[rows * size];
        sourceGradient = new float[sources.length][];
        Arrays.setAll(sourceGradient, i -> new float[sources[i].length]);
        for (int row = 0; row < rows; row++) {
            int read = reads[row % reads.length];
            backward(row, both, sources[read], sourceGradient[read], queryGradient);
            System.arraycopy(both, (row * 2 + 1) * size, own, row * size, size);
        }
        INDArray queryRows = array(size);
        Floats.of(queryRows).put(queryGradient);
        OneDnn.addTransposedTimes(size, rows, size, Floats.of(queryRows), Floats.of(hidden), scoreGradient);
        INDArray throughScores = array(size);
        OneDnn.multiply(rows, size, size, Floats.of(queryRows), scoreWeights, Floats.of(throughScores));
        INDArray states = array(size);
        Floats.of(states).put(own);
        return states.addi(throughScores).reshape('c', steps, rows / steps, size);
    }

    /** @param both gradient with respect to {@link #joined} */
    private void backward(int row, float[] both, float[] source, float[] sourceGradient, float[] queryGradient) {
        float[] attended = weights[row];
        float[] gradient = new float[attended.length];
        int context = row * 2 * size;
        float mean = 0;
        for (int token = 0; token < attended.length; token++) {
            gradient[token] = attended[token] == 0 ? 0 : dot(both, context, source, token * size);
            mean += attended[token] * gradient[token];
        }
        for (int token = 0; token < attended.length; token++) {
            float score = attended[token] * (gradient[token] - mean);
            add(attended[token], both, context, sourceGradient, token * size);
            add(score, queries, row * size, sourceGradient, token * size);
            add(score, source, token * size, queryGradient, row * size);
        }
    }

    /** @return of the last {@link #backward}, with respect to what was read */
    float[][] sourceGradient() {
        return sourceGradient;
    }
}
