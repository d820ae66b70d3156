package io.unroll.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/** The look-up of a token's row in a table {@code [vocabulary, size]}, row by row: a product with one-hot rows. */
public final class Embedding {
    private Embedding() {}

    /** @param to {@code [tokens, size]} */
    public static void lookUp(FloatPointer table, int size, int[] tokens, FloatPointer to) {
        FloatPointer from = new FloatPointer(table);
        FloatPointer row = new FloatPointer(to);
        for (int i = 0; i < tokens.length; i++) {
            openblas.cblas_scopy(size, from.position((long) tokens[i] * size), 1, row.position((long) i * size), 1);
        }
    }

    /** @param gradient of the table, is added to */
    public static void backward(FloatPointer dRows, int size, int[] tokens, FloatPointer gradient) {
        FloatPointer row = new FloatPointer(dRows);
        FloatPointer sum = new FloatPointer(gradient);
        for (int i = 0; i < tokens.length; i++) {
            openblas.cblas_saxpy(size, 1, row.position((long) i * size), 1, sum.position((long) tokens[i] * size), 1);
        }
    }
}
