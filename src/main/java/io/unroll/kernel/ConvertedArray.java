package io.unroll.kernel;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** An array that callers see as float32, and a copy of it in the kernel's data type if that is not float32. */
final class ConvertedArray implements AutoCloseable {
    private final ResourceScope resources = new ResourceScope();
    private final memory float32;
    private final memory typed;
    private final KernelMemory kernelMemory;
    private final boolean converts;
    private BoundPrimitive fromFloat32;
    private BoundPrimitive toFloat32;

    private ConvertedArray(boolean allocates, memory.data_type type, KernelMemory kernelMemory, long... dimensions) {
        this.kernelMemory = kernelMemory;
        this.converts = type != memory.data_type.f32;
        try (memory.desc plainLayout = OneDnn.plain(memory.data_type.f32, dimensions);
                memory.desc typedLayout = OneDnn.plain(type, dimensions)) {
            this.float32 =
                    allocates ? kernelMemory.array(plainLayout, resources) : resources.add(OneDnn.view(plainLayout));
            this.typed = converts ? kernelMemory.array(typedLayout, resources) : float32;
        }
    }

    /** Returns a view of an array that the caller owns and sets by {@link #attach}. */
    static ConvertedArray view(memory.data_type type, KernelMemory kernelMemory, long... dimensions) {
        return new ConvertedArray(false, type, kernelMemory, dimensions);
    }

    /** Returns a newly allocated array. */
    static ConvertedArray allocate(memory.data_type type, KernelMemory kernelMemory, long... dimensions) {
        return new ConvertedArray(true, type, kernelMemory, dimensions);
    }

    /** @return the array in the kernel's data type */
    memory typed() {
        return typed;
    }

    void attach(Pointer data) {
        float32.set_data_handle(data);
    }

    FloatPointer floats() {
        return OneDnn.floats(float32);
    }

    /** Converts the float32 values to the kernel's data type. */
    void convertFromFloat32() {
        if (converts) {
            fromFloat32 = fromFloat32 == null
                    ? resources.add(BoundPrimitive.reorder(float32, typed, kernelMemory))
                    : fromFloat32;
            fromFloat32.run();
        }
    }

    /** Converts the values that the kernel has written to float32. */
    void convertToFloat32() {
        if (converts) {
            toFloat32 =
                    toFloat32 == null ? resources.add(BoundPrimitive.reorder(typed, float32, kernelMemory)) : toFloat32;
            toFloat32.run();
        }
    }

    @Override
    public void close() {
        resources.close();
    }
}
