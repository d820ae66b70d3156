package io.unroll.model;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The arrays of one step of a network, which the next step uses again: the n-th array that is asked for after
 * {@link #restart} lies where the n-th one of the step before lay.
 */
final class StepArrays extends LayerWorkspaceMgr implements AutoCloseable {
    private final List<INDArray> buffers = new ArrayList<>();
    private int next;

    StepArrays() {
        super(EnumSet.allOf(ArrayType.class), Map.of(), Map.of());
    }

    void restart() {
        next = 0;
    }

    @Override
    public INDArray createUninitialized(ArrayType arrayType, DataType dataType, long[] shape, char order) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        if (next == buffers.size()) {
            buffers.add(Nd4j.createUninitialized(dataType, length));
        } else if (buffers.get(next).length() < length) {
            buffers.get(next).close();
            buffers.set(next, Nd4j.createUninitialized(dataType, length));
        }
        INDArray buffer = buffers.get(next++);
        return buffer.get(NDArrayIndex.interval(0, length)).reshape(order, shape);
    }

    @Override
    public void close() {
        buffers.forEach(INDArray::close);
        buffers.clear();
    }
}
