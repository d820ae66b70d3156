package io.unroll.model;

import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reduces the steps of each lane to one row; it ignores the padding after a lane's length. */
final class LanePooling {
    private final NetworkShape.PoolingMode mode;
    private int[] lengths;
    private long[] shape;
    /** For MAX: the step of each pooled value. */
    private int[] stepOfMax;

    LanePooling(NetworkShape.PoolingMode mode) {
        this.mode = mode;
    }

    /**
     * @param hidden {@code [steps, lanes, hidden]} row by row
     * @param lengths steps of each lane, at least 1
     * @return {@code [1, lanes, hidden]}
     */
    INDArray forward(INDArray hidden, int[] lengths, StepWorkspace workspace) {
        this.lengths = lengths;
        shape = hidden.shape();
        int size = (int) shape[2];
        FloatIndexer values = indexer(hidden);
        INDArray pooled = workspace.createUninitialized(
                ArrayType.ACTIVATIONS, DataType.FLOAT, new long[] {1, shape[1], size}, 'c');
        FloatIndexer rows = indexer(pooled);
        stepOfMax = new int[mode == NetworkShape.PoolingMode.MAX ? Math.toIntExact(pooled.length()) : 0];
        for (int i = 0; i < pooled.length(); i++) {
            rows.put(i, pooled(values, i, pooled.length(), lengths[i / size]));
        }
        return pooled;
    }

    private static FloatIndexer indexer(INDArray array) {
        return FloatIndexer.create(NativeFloats.of(array).capacity(array.length()));
    }

    /** @param i index in each step, which has {@code stride} values */
    private float pooled(FloatIndexer values, int i, long stride, int steps) {
        switch (mode) {
            case LAST:
                return values.get((steps - 1) * stride + i);
            case MEAN:
                double sum = 0;
                for (int step = 0; step < steps; step++) {
                    sum += values.get(step * stride + i);
                }
                return (float) (sum / steps);
            default:
                int best = 0;
                for (int step = 1; step < steps; step++) {
                    best = values.get(step * stride + i) > values.get(best * stride + i) ? step : best;
                }
                stepOfMax[i] = best;
                return values.get(best * stride + i);
        }
    }

    /**
     * @param dRows gradient with respect to the result of the last {@link #forward}
     * @return gradient with respect to its input, {@code [steps, lanes, hidden]}
     */
    INDArray backward(INDArray dRows, StepWorkspace workspace) {
        INDArray gradient = workspace
                .createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, shape, 'c')
                .assign(0);
        FloatIndexer values = indexer(gradient);
        FloatIndexer rows = indexer(dRows);
        long stride = dRows.length();
        for (int i = 0; i < stride; i++) {
            int steps = lengths[i / (int) shape[2]];
            switch (mode) {
                case LAST -> values.put((steps - 1) * stride + i, rows.get(i));
                case MEAN -> {
                    for (int step = 0; step < steps; step++) {
                        values.put(step * stride + i, rows.get(i) / steps);
                    }
                }
                default -> values.put(stepOfMax[i] * stride + i, rows.get(i));
            }
        }
        return gradient;
    }
}
