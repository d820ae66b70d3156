package io.unroll.kernel;

import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Copies the blocks of a layer's parameters, one for each gate, between Deeplearning4j's order and oneDNN's.
 *
 * @param order for each block, in oneDNN's order, its index in Deeplearning4j's order
 * @param size numbers in a block
 */
record Blocks(List<Integer> order, int count, long size) {
    boolean sameOrder() {
        return IntStream.range(0, count).allMatch(i -> order.get(i) == i);
    }

    long bytes() {
        return count * size * Float.BYTES;
    }

    void toOneDnn(FloatPointer from, FloatPointer to) {
        for (int i = 0; i < count; i++) {
            copy(from.getPointer(order.get(i) * size), to.getPointer(i * size));
        }
    }

    void fromOneDnn(FloatPointer from, FloatPointer to) {
        for (int i = 0; i < count; i++) {
            copy(from.getPointer(i * size), to.getPointer(order.get(i) * size));
        }
    }

    private void copy(FloatPointer from, FloatPointer to) {
        Pointer.memcpy(to, from, size * Float.BYTES);
    }

    /**
     * A weight matrix {@code [blocks, hidden, columns]} in Deeplearning4j's order, and its conversion to and from the
     * packed layouts that oneDNN's primitives choose.
     */
    static final class Matrix {
        private final ResourceScope owner;
        private final Blocks blocks;
        private final KernelMemory kernelMemory;
        /** The matrix row by row, its blocks in oneDNN's order. */
        private final memory plain;

        Matrix(CellType cell, long columns, long hidden, KernelMemory kernelMemory, ResourceScope owner) {
            this.owner = owner;
            this.blocks = new Blocks(cell.oneDnnOrder(), cell.blocks(), hidden * columns);
            this.kernelMemory = kernelMemory;
            try (memory.desc layout =
                    RecurrentPrimitives.transposedBlocks(memory.data_type.f32, cell.blocks(), columns, hidden)) {
                this.plain = owner.add(OneDnn.view(layout));
            }
        }

        /** @return a primitive that packs the weights last given to {@link #setWeights} into {@code packed} */
        BoundPrimitive packing(memory packed) {
            return owner.add(BoundPrimitive.reorder(plain, packed, null));
        }

        /** @return a primitive for {@link #unpack} that reads {@code packed} */
        BoundPrimitive unpacking(memory packed) {
            return owner.add(BoundPrimitive.reorder(packed, plain, null));
        }

        void setWeights(FloatPointer from) {
            if (blocks.sameOrder()) {
                plain.set_data_handle(from);
            } else {
                FloatPointer reordered = new FloatPointer(kernelMemory.scratchpad(blocks.bytes()));
                blocks.toOneDnn(from, reordered);
                plain.set_data_handle(reordered);
            }
        }

        void unpack(BoundPrimitive unpacking, FloatPointer to) {
            if (blocks.sameOrder()) {
                plain.set_data_handle(to);
                unpacking.run();
            } else {
                FloatPointer reordered = new FloatPointer(kernelMemory.scratchpad(blocks.bytes()));
                plain.set_data_handle(reordered);
                unpacking.run();
                blocks.fromOneDnn(reordered, to);
            }
        }
    }
}
