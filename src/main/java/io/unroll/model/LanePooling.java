package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reduces the steps of each lane to one row; it ignores the padding after a lane's length. */
final class LanePooling implements Head {
    private final Settings.Pooling mode;
    private final StepWorkspace workspace;
    private int[] lengths;
    private long[] shape;
    /** For MAX: the step of each pooled value. */
    private int[] stepOfMax;

    LanePooling(Settings.Pooling mode, StepWorkspace workspace) {
        this.mode = mode;
        this.workspace = workspace;
    }

    @Override
    public int[] targets(Batch batch) {
        return batch.targets();
    }

    @Override
    public INDArray forward(INDArray hidden, Batch batch) {
        lengths = batch.lengths();
        shape = hidden.shape();
        int size = (int) shape[2];
        FloatIndexer values = indexer(hidden);
        INDArray pooled = workspace.array(1, shape[1], size);
        FloatIndexer rows = indexer(pooled);
        stepOfMax = new int[mode == Settings.Pooling.MAX ? Math.toIntExact(pooled.length()) : 0];
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

    @Override
    public INDArray backward(INDArray dRows) {
        INDArray gradient = workspace.array(shape).assign(0);
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
