package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;

/** A oneDNN primitive, bound to the memory of its arguments. */
final class BoundPrimitive implements AutoCloseable {
    private final primitive operation;
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final KernelMemory kernelMemory;
    private final memory scratchpad;
    private final long scratchpadBytes;

    BoundPrimitive(primitive_desc_base description, KernelMemory kernelMemory) {
        this.operation = new primitive(description.get());
        this.kernelMemory = kernelMemory;
        try (memory.desc layout = description.scratchpad_desc()) {
            this.scratchpadBytes = layout.get_size();
            this.scratchpad = OneDnn.view(layout);
        }
        arguments.put(DNNL_ARG_SCRATCHPAD, scratchpad);
    }

    /** @return attributes that make a primitive use our scratchpad instead of one that oneDNN keeps for each thread */
    static primitive_attr attributes() {
        primitive_attr attributes = new primitive_attr();
        attributes.set_scratchpad_mode(dnnl.dnnl_scratchpad_mode_user);
        return attributes;
    }

    /**
     * Returns a primitive that copies between layouts and data types.
     *
     * @param kernelMemory null if the copy needs no scratchpad
     */
    static BoundPrimitive reorder(memory from, memory to, KernelMemory kernelMemory) {
        try (primitive_attr attributes = attributes();
                reorder.primitive_desc description = new reorder.primitive_desc(from, to, attributes, false)) {
            return new BoundPrimitive(description, kernelMemory)
                    .with(DNNL_ARG_SRC, from)
                    .with(DNNL_ARG_DST, to);
        }
    }

    BoundPrimitive with(int argument, memory data) {
        arguments.put(argument, data);
        return this;
    }

    void run() {
        if (scratchpadBytes > 0) {
            scratchpad.set_data_handle(kernelMemory.scratchpad(scratchpadBytes));
        }
        long start = System.nanoTime();
        operation.execute(OneDnn.stream(), arguments);
        OneDnn.addKernelTime(System.nanoTime() - start);
    }

    @Override
    public void close() {
        arguments.close();
        scratchpad.close();
        operation.close();
    }
}
