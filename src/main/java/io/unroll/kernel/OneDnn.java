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

/** oneDNN on this processor: the engine, stream and helpers that all kernels share. */
public final class OneDnn {
    private static final engine ENGINE;
    private static final stream STREAM;
    private static final LinkageError PROBLEM;
    private static final ThreadLocal<long[]> NANOS_IN_KERNELS = ThreadLocal.withInitial(() -> new long[1]);

    static {
        engine cpu = null;
        stream cpuStream = null;
        LinkageError problem = null;
        try {
            Loader.load(dnnl.class);
            cpu = new engine(engine.kind.cpu, 0);
            cpuStream = new stream(cpu);
        } catch (LinkageError e) {
            problem = e;
        }
        ENGINE = cpu;
        STREAM = cpuStream;
        PROBLEM = problem;
    }

    private OneDnn() {}

    static engine engine() {
        if (PROBLEM != null) {
            throw new UnrollException(
                    "the native libraries do not load " + NativeLibraries.loadFailure(PROBLEM), PROBLEM);
        }
        return ENGINE;
    }

    /** @return the stream of all threads: it executes synchronously, and streams of a CPU have no state */
    static stream stream() {
        return STREAM;
    }

    /** @return whether the processor has bfloat16 instructions; without them oneDNN emulates it, slower than float32 */
    public static boolean hasBfloat16() {
        engine();
        return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
    }

    /**
     * Returns whether oneDNN's recurrent primitives are optimized for a processor. In version 3.11, they are on
     * x86-64 only; oneDNN's pull request 4902 begins to optimize them for arm64 (see docs/studies/arm64.md).
     *
     * @param architecture a value of the property {@code os.arch}
     */
    static boolean optimizesRecurrentLayers(String architecture) {
        return architecture.equals("amd64") || architecture.equals("x86_64");
    }

    /** Computes {@code C = A B} with A {@code [rows, inner]} and B {@code [inner, columns]}, all row by row. */
    public static void multiply(int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('N', 'N', rows, inner, columns, a, b, 0, c);
    }

    /** Computes {@code C = A B'} with A {@code [rows, inner]} and B {@code [columns, inner]}, all row by row. */
    public static void multiplyByTransposed(
            int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('N', 'T', rows, inner, columns, a, b, 0, c);
    }

    /** Computes {@code C += A' B} with A {@code [inner, rows]} and B {@code [inner, columns]}, all row by row. */
    public static void addTransposedProduct(
            int rows, int inner, int columns, FloatPointer a, FloatPointer b, FloatPointer c) {
        multiply('T', 'N', rows, inner, columns, a, b, 1, c);
    }

    private static void multiply(
            char transposeA,
            char transposeB,
            int rows,
            int inner,
            int columns,
            FloatPointer a,
            FloatPointer b,
            float beta,
            FloatPointer c) {
        engine();
        int rowLengthOfA = transposeA == 'T' ? rows : inner;
        int rowLengthOfB = transposeB == 'T' ? inner : columns;
        int status = dnnl.dnnl_sgemm(
                (byte) transposeA,
                (byte) transposeB,
                rows,
                columns,
                inner,
                1,
                a,
                rowLengthOfA,
                b,
                rowLengthOfB,
                beta,
                c,
                columns);
        if (status != dnnl.dnnl_success) {
            throw new UnrollException("oneDNN could not multiply [" + rows + ", " + inner + "] by [" + inner + ", "
                    + columns + "]: its status is " + status + ".");
        }
    }

    static void addKernelTime(long nanos) {
        NANOS_IN_KERNELS.get()[0] += nanos;
    }

    /** @return the time that the calling thread has spent in oneDNN's primitives and in {@link BlasMatrix}' products */
    public static double secondsInKernels() {
        return NANOS_IN_KERNELS.get()[0] / 1e9;
    }

    /** @return a row-major layout */
    static memory.desc plain(memory.data_type type, long... dimensions) {
        long[] strides = new long[dimensions.length];
        long stride = 1;
        for (int i = dimensions.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dimensions[i];
        }
        return new memory.desc(dimensions, type, strides);
    }

    /** @return the layout of the transpose {@code [rows, columns]} of a row-major array {@code [columns, rows]} */
    static memory.desc transposed(memory.data_type type, long rows, long columns) {
        return new memory.desc(new long[] {rows, columns}, type, new long[] {1, rows});
    }

    /** @return a description that lets the primitive choose the layout */
    static memory.desc any(memory.data_type type, long... dimensions) {
        return new memory.desc(dimensions, type, memory.format_tag.any);
    }

    /** @return uninitialized memory; pages that no primitive touches take no physical memory */
    static memory allocate(memory.desc layout) {
        long bytes = layout.get_size();
        try {
            return new memory(layout, engine());
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "out of memory: cannot allocate " + (bytes >> 20) + " MiB for the network's arrays; give the"
                            + " executor more memory outside the Java heap, or lower model.hidden, training.batch or"
                            + " training.tbptt.",
                    e);
        }
    }

    /** @return a view without an address, which {@code set_data_handle} sets; it does not own the memory */
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
