package io.unroll.kernel;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * A row-major float32 matrix in native memory, or some rows and columns of one, and its products with OpenBLAS.
 *
 * @param stride distance between the starts of two rows
 */
record BlasMatrix(FloatPointer start, int rows, int columns, int stride) {
    BlasMatrix(FloatPointer start, int rows, int columns) {
        this(start, rows, columns, columns);
    }

    static BlasMatrix allocate(int rows, int columns, KernelMemory kernelMemory, ResourceScope owner) {
        try (memory.desc layout = OneDnn.plain(memory.data_type.f32, rows, columns)) {
            return new BlasMatrix(OneDnn.floats(kernelMemory.array(layout, owner)), rows, columns);
        }
    }

    /** @return a matrix in the scratchpad */
    static BlasMatrix scratchpad(int rows, int columns, KernelMemory kernelMemory) {
        long bytes = (long) rows * columns * Float.BYTES;
        return new BlasMatrix(new FloatPointer(kernelMemory.scratchpad(bytes)), rows, columns);
    }

    BlasMatrix rows(int from, int count) {
        return new BlasMatrix(start.getPointer((long) from * stride), count, columns, stride);
    }

    BlasMatrix columns(int from, int count) {
        return new BlasMatrix(start.getPointer(from), rows, count, stride);
    }

    /** Copies all values, row by row; the rows must be contiguous. */
    void get(float[] to) {
        start.get(to, 0, rows * columns);
    }

    /** Like {@link #get}, in the other direction. */
    void put(float[] from) {
        start.put(from, 0, rows * columns);
    }

    /** Computes {@code this = a b + beta this}. If beta is 0, this matrix is not read. */
    void multiply(BlasMatrix a, BlasMatrix b, float beta) {
        multiply(a, openblas_nolapack.CblasNoTrans, b, openblas_nolapack.CblasNoTrans, a.columns, beta);
    }

    /** Computes {@code this = a b' + beta this}. */
    void multiplyByTransposed(BlasMatrix a, BlasMatrix b, float beta) {
        multiply(a, openblas_nolapack.CblasNoTrans, b, openblas_nolapack.CblasTrans, a.columns, beta);
    }

    /** Computes {@code this = a' b + beta this}. */
    void multiplyTransposed(BlasMatrix a, BlasMatrix b, float beta) {
        multiply(a, openblas_nolapack.CblasTrans, b, openblas_nolapack.CblasNoTrans, a.rows, beta);
    }

    private void multiply(BlasMatrix a, int transposeA, BlasMatrix b, int transposeB, int inner, float beta) {
        long begin = System.nanoTime();
        openblas_nolapack.cblas_sgemm(
                openblas_nolapack.CblasRowMajor,
                transposeA,
                transposeB,
                rows,
                columns,
                inner,
                1,
                a.start,
                a.stride,
                b.start,
                b.stride,
                beta,
                start,
                stride);
        OneDnn.addKernelTime(System.nanoTime() - begin);
    }
}
