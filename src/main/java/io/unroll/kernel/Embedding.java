package io.unroll.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** The embedding of tokens: a look-up of their rows in a table {@code [vocabulary, size]}, stored row by row. */
public final class Embedding {
    private Embedding() {}

    /** Copies the rows of the tokens to {@code to [tokens, size]}. */
    public static void lookUp(FloatPointer table, int size, int[] tokens, FloatPointer to) {
        FloatPointer from = new FloatPointer(table);
        FloatPointer row = new FloatPointer(to);
        for (int i = 0; i < tokens.length; i++) {
            openblas_nolapack.cblas_scopy(
                    size, from.position((long) tokens[i] * size), 1, row.position((long) i * size), 1);
        }
    }

    /** Adds each row of {@code dRows [tokens, size]} to its token's row of the table's gradient. */
    public static void backward(FloatPointer dRows, int size, int[] tokens, FloatPointer dTable) {
        FloatPointer row = new FloatPointer(dRows);
        FloatPointer sum = new FloatPointer(dTable);
        for (int i = 0; i < tokens.length; i++) {
            openblas_nolapack.cblas_saxpy(
                    size, 1, row.position((long) i * size), 1, sum.position((long) tokens[i] * size), 1);
        }
    }
}
