package io.unroll.kernel;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** An array that callers see as float32, and a copy of it in the kernel's data type if that is not float32. */
final class ConvertedArray {
    private final memory float32;
    private final memory typed;
    private final KernelMemory kernelMemory;
    private final ResourceScope owner;
    private final boolean converts;
    private BoundPrimitive fromFloat32;
    private BoundPrimitive toFloat32;

    private ConvertedArray(
            boolean allocates,
            memory.data_type type,
            KernelMemory kernelMemory,
            ResourceScope owner,
            long... dimensions) {
        this.kernelMemory = kernelMemory;
        this.owner = owner;
        this.converts = type != memory.data_type.f32;
        try (memory.desc plainLayout = OneDnn.plain(memory.data_type.f32, dimensions);
                memory.desc typedLayout = OneDnn.plain(type, dimensions)) {
            this.float32 = allocates ? kernelMemory.array(plainLayout, owner) : owner.add(OneDnn.view(plainLayout));
            this.typed = converts ? kernelMemory.array(typedLayout, owner) : float32;
        }
    }

    /** Returns a view of an array that the caller owns and sets by {@link #attach}. */
    static ConvertedArray view(
            memory.data_type type, KernelMemory kernelMemory, ResourceScope owner, long... dimensions) {
        return new ConvertedArray(false, type, kernelMemory, owner, dimensions);
    }

    static ConvertedArray allocate(
            memory.data_type type, KernelMemory kernelMemory, ResourceScope owner, long... dimensions) {
        return new ConvertedArray(true, type, kernelMemory, owner, dimensions);
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
            if (fromFloat32 == null) {
                fromFloat32 = owner.add(BoundPrimitive.reorder(float32, typed, kernelMemory));
            }
            fromFloat32.run();
        }
    }

    /** Converts the values that the kernel has written to float32. */
    void convertToFloat32() {
        if (converts) {
            if (toFloat32 == null) {
                toFloat32 = owner.add(BoundPrimitive.reorder(typed, float32, kernelMemory));
            }
            toFloat32.run();
        }
    }
}
