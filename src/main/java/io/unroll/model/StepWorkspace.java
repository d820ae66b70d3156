package io.unroll.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Allocates the arrays of a training or inference step and reuses their memory in the next step: the n-th array after
 * {@link #restart} has the same memory as the n-th array of the previous step.
 */
final class StepWorkspace extends LayerWorkspaceMgr implements AutoCloseable {
    private final List<INDArray> buffers = new ArrayList<>();
    private final List<INDArray> views = new ArrayList<>();
    private int next;

    StepWorkspace() {
        super(EnumSet.allOf(ArrayType.class), Map.of(), Map.of());
    }

    /** Starts a new step, which overwrites the arrays of the previous one. */
    void restart() {
        next = 0;
    }

    @Override
    public INDArray createUninitialized(ArrayType arrayType, DataType dataType, long[] shape, char order) {
        int slot = next++;
        if (slot == buffers.size()) {
            buffers.add(Nd4j.createUninitialized(dataType, length(shape)));
            views.add(null);
        }
        INDArray view = views.get(slot);
        if (view == null || view.ordering() != order || !Arrays.equals(view.shape(), shape)) {
            views.set(slot, newView(slot, dataType, shape, order));
        }
        return views.get(slot);
    }

    private INDArray newView(int slot, DataType dataType, long[] shape, char order) {
        if (buffers.get(slot).length() < length(shape)) {
            buffers.get(slot).close();
            buffers.set(slot, Nd4j.createUninitialized(dataType, length(shape)));
        }
        return buffers.get(slot).get(NDArrayIndex.interval(0, length(shape))).reshape(order, shape);
    }

    private static long length(long[] shape) {
        return LongStream.of(shape).reduce(1, (a, b) -> a * b);
    }

    @Override
    public void close() {
        buffers.forEach(INDArray::close);
        buffers.clear();
        views.clear();
    }
}
