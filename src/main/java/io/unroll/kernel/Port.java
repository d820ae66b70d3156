package io.unroll.kernel;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** An array that is float32 outside, and inside what the kernel computes in. */
final class Port implements AutoCloseable {
    private final Owned owned = new Owned();
    private final memory outside;
    private final memory inside;
    private final Scratchpad scratchpad;
    private final boolean converts;
    private Call read;
    private Call write;

    private Port(boolean own, memory.data_type type, Scratchpad scratchpad, long... dimensions) {
        this.scratchpad = scratchpad;
        this.converts = type != memory.data_type.f32;
        try (memory.desc plain = OneDnn.plain(memory.data_type.f32, dimensions);
                memory.desc typed = OneDnn.plain(type, dimensions)) {
            this.outside = own ? scratchpad.array(plain, owned) : owned.add(OneDnn.view(plain));
            this.inside = converts ? scratchpad.array(typed, owned) : outside;
        }
    }

    /** An array that the caller owns; {@link #attach} says where it is. */
    static Port view(memory.data_type type, Scratchpad scratchpad, long... dimensions) {
        return new Port(false, type, scratchpad, dimensions);
    }

    /** An array of the kernel's own. */
    static Port own(memory.data_type type, Scratchpad scratchpad, long... dimensions) {
        return new Port(true, type, scratchpad, dimensions);
    }

    memory inside() {
        return inside;
    }

    void attach(Pointer data) {
        outside.set_data_handle(data);
    }

    FloatPointer floats() {
        return OneDnn.floats(outside);
    }

    /** Takes over what is outside. */
    void read() {
        if (converts) {
            read = read == null ? owned.add(Call.reorder(outside, inside, scratchpad)) : read;
            read.run();
        }
    }

    /** Shows outside what the kernel has written. */
    void write() {
        if (converts) {
            write = write == null ? owned.add(Call.reorder(inside, outside, scratchpad)) : write;
            write.run();
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
