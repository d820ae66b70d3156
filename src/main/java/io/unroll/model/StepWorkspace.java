package io.unroll.model;

import io.unroll.kernel.KernelMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Allocates the arrays of a training or inference step and reuses their memory in the next step: the n-th array after
 * {@link #restart} has the same memory as the n-th array of the previous step. It also has the memory of the kernels.
 */
final class StepWorkspace implements AutoCloseable {
    private final List<INDArray> buffers = new ArrayList<>();
    private final List<INDArray> views = new ArrayList<>();
    private final KernelMemory kernelMemory = new KernelMemory();
    private int next;

    KernelMemory kernelMemory() {
        return kernelMemory;
    }

    /** Starts a new step, which overwrites the arrays of the previous one. */
    void restart() {
        next = 0;
    }

    /** @return an uninitialized float32 array, row-major */
    INDArray array(long... shape) {
        int slot = next++;
        if (slot == buffers.size()) {
            buffers.add(Nd4j.createUninitialized(DataType.FLOAT, length(shape)));
            views.add(buffers.get(slot));
        }
        if (!Arrays.equals(views.get(slot).shape(), shape)) {
            views.set(slot, newView(slot, shape));
        }
        return views.get(slot);
    }

    private INDArray newView(int slot, long[] shape) {
        if (buffers.get(slot).length() < length(shape)) {
            buffers.get(slot).close();
            buffers.set(slot, Nd4j.createUninitialized(DataType.FLOAT, length(shape)));
        }
        return buffers.get(slot).get(NDArrayIndex.interval(0, length(shape))).reshape('c', shape);
    }

    private static long length(long[] shape) {
        return LongStream.of(shape).reduce(1, (a, b) -> a * b);
    }

    /** Frees all memory; call it after all kernels are closed. */
    @Override
    public void close() {
        kernelMemory.close();
        buffers.forEach(INDArray::close);
        buffers.clear();
        views.clear();
    }
}
