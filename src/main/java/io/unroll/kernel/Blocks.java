package io.unroll.kernel;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** The blocks of a layer's parameters, one for each gate, between our order and oneDNN's. */
final class Blocks {
    private final List<Integer> order;
    private final int count;
    private final long size;

    /**
     * @param order for each block of oneDNN its place among ours
     * @param size numbers in a block
     */
    Blocks(List<Integer> order, int count, long size) {
        this.order = order;
        this.count = count;
        this.size = size;
    }

    boolean inOrder() {
        for (int i = 0; i < count; i++) {
            if (order.get(i) != i) {
                return false;
            }
        }
        return true;
    }

    long bytes() {
        return count * size * Float.BYTES;
    }

    void toOneDnn(FloatPointer ours, FloatPointer theirs) {
        for (int i = 0; i < count; i++) {
            copy(ours.getPointer(order.get(i) * size), theirs.getPointer(i * size));
        }
    }

    void toOurs(FloatPointer theirs, FloatPointer ours) {
        for (int i = 0; i < count; i++) {
            copy(theirs.getPointer(i * size), ours.getPointer(order.get(i) * size));
        }
    }

    private void copy(FloatPointer from, FloatPointer to) {
        Pointer.memcpy(to, from, size * Float.BYTES);
    }

    /** A weight matrix {@code [blocks, hidden, columns]} of ours, and copies of it as primitives want them. */
    static final class Matrix implements AutoCloseable {
        private final Owned owned = new Owned();
        private final Blocks blocks;
        private final Scratchpad scratchpad;
        private final memory ours;

        Matrix(Cell cell, long columns, long hidden, Scratchpad scratchpad) {
            this.blocks = new Blocks(cell.order(), cell.blocks(), hidden * columns);
            this.scratchpad = scratchpad;
            try (memory.desc layout =
                    RecurrentPrimitives.transposedBlocks(memory.data_type.f32, cell.blocks(), columns, hidden)) {
                this.ours = owned.add(OneDnn.view(layout));
            }
        }

        /** @return a call that fills the copy from what {@link #read} was given last */
        Call packing(memory copy) {
            return owned.add(Call.reorder(ours, copy, null));
        }

        /** @return a call after which {@link #write} finds the content of the copy */
        Call unpacking(memory copy) {
            return owned.add(Call.reorder(copy, ours, null));
        }

        void read(FloatPointer from) {
            if (blocks.inOrder()) {
                ours.set_data_handle(from);
            } else {
                FloatPointer staged = new FloatPointer(scratchpad.bytes(blocks.bytes()));
                blocks.toOneDnn(from, staged);
                ours.set_data_handle(staged);
            }
        }

        void write(Call unpacking, FloatPointer to) {
            if (blocks.inOrder()) {
                ours.set_data_handle(to);
                unpacking.run();
            } else {
                FloatPointer staged = new FloatPointer(scratchpad.bytes(blocks.bytes()));
                ours.set_data_handle(staged);
                unpacking.run();
                blocks.toOurs(staged, to);
            }
        }

        @Override
        public void close() {
            owned.close();
        }
    }
}
