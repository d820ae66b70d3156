package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;

import io.unroll.config.UnrollException;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** oneDNN on this processor: what all kernels share. */
public final class OneDnn {
    private static final engine ENGINE;
    private static final stream STREAM;
    private static final LinkageError PROBLEM;
    private static final ThreadLocal<long[]> NANOS_IN_CALLS = ThreadLocal.withInitial(() -> new long[1]);

    static {
        engine loaded = null;
        stream calls = null;
        LinkageError problem = null;
        try {
            Loader.load(dnnl.class);
            loaded = new engine(engine.kind.cpu, 0);
            calls = new stream(loaded);
        } catch (LinkageError e) {
            problem = e;
        }
        ENGINE = loaded;
        STREAM = calls;
        PROBLEM = problem;
    }

    private OneDnn() {}

    static engine engine() {
        if (PROBLEM != null) {
            throw new UnrollException(
                    "the oneDNN library does not load (" + PROBLEM.getMessage()
                            + "): the jar holds it for Linux on x86-64; elsewhere Unroll cannot train.",
                    PROBLEM);
        }
        return ENGINE;
    }

    /** Calls on it return when they are done; the processor's streams have no state, so all threads share one. */
    static stream stream() {
        return STREAM;
    }

    /** @return whether the processor multiplies bfloat16 itself; elsewhere oneDNN emulates it, slower than float32 */
    public static boolean hasBfloat16() {
        engine();
        return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
    }

    /** {@code C = A B}, where A is {@code [rows, inner]} and B {@code [inner, columns]}, row by row. */
    public static void multiply(int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('N', 'N', rows, inner, columns, a, b, 0, c);
    }

    /** {@code C = A B'}, where A is {@code [rows, inner]} and B {@code [columns, inner]}. */
    public static void multiplyByTransposed(
            int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('N', 'T', rows, inner, columns, a, b, 0, c);
    }

    /** {@code C += A' B}, where A is {@code [inner, rows]} and B {@code [inner, columns]}. */
    public static void addTransposedTimes(
            int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('T', 'N', rows, inner, columns, a, b, 1, c);
    }

    private static void multiply(
            char turnA,
            char turnB,
            int rows,
            int inner,
            int columns,
            FloatPointer a,
            FloatPointer b,
            float kept,
            FloatPointer c) {
        engine();
        int rowOfA = turnA == 'T' ? rows : inner;
        int rowOfB = turnB == 'T' ? inner : columns;
        int status = dnnl.dnnl_sgemm(
                (byte) turnA, (byte) turnB, rows, columns, inner, 1, a, rowOfA, b, rowOfB, kept, c, columns);
        if (status != dnnl.dnnl_success) {
            throw new UnrollException("oneDNN could not multiply [" + rows + ", " + inner + "] by [" + inner + ", "
                    + columns + "]: its status is " + status + ".");
        }
    }

    static void countCall(long nanos) {
        NANOS_IN_CALLS.get()[0] += nanos;
    }

    /** @return time that the calling thread has spent in oneDNN's primitives */
    public static double secondsInCalls() {
        return NANOS_IN_CALLS.get()[0] / 1e9;
    }

    static memory.desc plain(memory.data_type type, long... dimensions) {
        long[] strides = new long[dimensions.length];
        long stride = 1;
        for (int i = dimensions.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dimensions[i];
        }
        return new memory.desc(dimensions, type, strides);
    }

    /** A view of a row-major {@code [columns, rows]} as its transpose. */
    static memory.desc transposed(memory.data_type type, long rows, long columns) {
        return new memory.desc(new long[] {rows, columns}, type, new long[] {1, rows});
    }

    static memory.desc any(memory.data_type type, long... dimensions) {
        return new memory.desc(dimensions, type, memory.format_tag.any);
    }

    /** Memory of its own, of any content: what no primitive touches takes no room. */
    static memory allocate(memory.desc layout) {
        long bytes = layout.get_size();
        try {
            return new memory(layout, engine());
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "no memory: " + (bytes >> 20) + " MiB more cannot be had for the network's arrays; give the"
                            + " executor more (outside the Java heap), or lower model.hidden, training.batch or"
                            + " training.tbptt.",
                    e);
        }
    }

    /** A view of memory that someone else owns; its user says where. */
    static memory view(memory.desc layout) {
        return new memory(layout, engine(), new Pointer());
    }

    static void clear(memory data) {
        try (memory.desc layout = data.get_desc()) {
            Pointer.memset(data.get_data_handle(), 0, layout.get_size());
        }
    }

    static FloatPointer floats(memory data) {
        return new FloatPointer(data.get_data_handle());
    }
}
