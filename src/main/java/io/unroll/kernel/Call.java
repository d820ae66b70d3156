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

/** A primitive and the memory that it works on. */
final class Call implements AutoCloseable {
    private final primitive operation;
    private final IntMemoryMap arguments = new IntMemoryMap();
    private final Scratchpad scratchpad;
    private final memory scratch;
    private final long scratchBytes;

    Call(primitive_desc_base description, primitive operation, Scratchpad scratchpad) {
        this.operation = operation;
        this.scratchpad = scratchpad;
        try (memory.desc layout = description.scratchpad_desc()) {
            this.scratchBytes = layout.get_size();
            this.scratch = OneDnn.view(layout);
        }
        arguments.put(DNNL_ARG_SCRATCHPAD, scratch);
    }

    /** Attributes under which a primitive takes its working memory from us instead of keeping it by thread. */
    static primitive_attr attributes() {
        primitive_attr attributes = new primitive_attr();
        attributes.set_scratchpad_mode(dnnl.dnnl_scratchpad_mode_user);
        return attributes;
    }

    /** Copies between layouts and types. */
    static Call reorder(memory from, memory to, Scratchpad scratchpad) {
        try (primitive_attr attributes = attributes();
                reorder.primitive_desc description = new reorder.primitive_desc(from, to, attributes, false)) {
            return new Call(description, new reorder(description), scratchpad)
                    .with(DNNL_ARG_SRC, from)
                    .with(DNNL_ARG_DST, to);
        }
    }

    Call with(int argument, memory data) {
        arguments.put(argument, data);
        return this;
    }

    void run() {
        if (scratchBytes > 0) {
            scratch.set_data_handle(scratchpad.bytes(scratchBytes));
        }
        long start = System.nanoTime();
        operation.execute(OneDnn.stream(), arguments);
        OneDnn.countCall(System.nanoTime() - start);
    }

    @Override
    public void close() {
        arguments.close();
        scratch.close();
        operation.close();
    }
}
