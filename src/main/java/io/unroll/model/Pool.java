package io.unroll.model;

import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** From all steps of each lane to one row of it; steps behind a lane's length do not count. */
final class Pool {
    private final NetworkShape.Pooling pooling;
    private int[] lengths;
    private long[] shape;
    /** Of each number that MAX has given, the step that it comes from. */
    private int[] largest;

    Pool(NetworkShape.Pooling pooling) {
        this.pooling = pooling;
    }

    /**
     * @param hidden {@code [steps, lanes, hidden]} row by row
     * @param stepsOfLanes 1 or more each
     * @return {@code [1, lanes, hidden]}
     */
    INDArray forward(INDArray hidden, int[] stepsOfLanes, StepArrays arrays) {
        lengths = stepsOfLanes;
        shape = hidden.shape();
        int size = (int) shape[2];
        FloatIndexer all = indexer(hidden);
        INDArray pooled =
                arrays.createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, new long[] {1, shape[1], size}, 'c');
        FloatIndexer rows = indexer(pooled);
        largest = new int[pooling == NetworkShape.Pooling.MAX ? Math.toIntExact(pooled.length()) : 0];
        for (int i = 0; i < pooled.length(); i++) {
            rows.put(i, pooled(all, i, pooled.length(), lengths[i / size]));
        }
        return pooled;
    }

    private static FloatIndexer indexer(INDArray array) {
        return FloatIndexer.create(Floats.of(array).capacity(array.length()));
    }

    /** @param i place of the number in each step, which has {@code stride} of them */
    private float pooled(FloatIndexer all, int i, long stride, int steps) {
        switch (pooling) {
            case LAST:
                return all.get((steps - 1) * stride + i);
            case MEAN:
                double sum = 0;
                for (int step = 0; step < steps; step++) {
                    sum += all.get(step * stride + i);
                }
                return (float) (sum / steps);
            default:
                int best = 0;
                for (int step = 1; step < steps; step++) {
                    best = all.get(step * stride + i) > all.get(best * stride + i) ? step : best;
                }
                largest[i] = best;
                return all.get(best * stride + i);
        }
    }

    /**
     * @param dRows gradient with respect to what the last {@link #forward} gave
     * @return {@code [steps, lanes, hidden]}
     */
    INDArray backward(INDArray dRows, StepArrays arrays) {
        INDArray gradient = arrays.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, shape, 'c')
                .assign(0);
        FloatIndexer all = indexer(gradient);
        FloatIndexer rows = indexer(dRows);
        long stride = dRows.length();
        for (int i = 0; i < stride; i++) {
            int steps = lengths[i / (int) shape[2]];
            switch (pooling) {
                case LAST -> all.put((steps - 1) * stride + i, rows.get(i));
                case MEAN -> {
                    for (int step = 0; step < steps; step++) {
                        all.put(step * stride + i, rows.get(i) / steps);
                    }
                }
                default -> all.put(largest[i] * stride + i, rows.get(i));
            }
        }
        return gradient;
    }
}
