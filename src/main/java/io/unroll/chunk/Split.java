package io.unroll.chunk;

/**
 * A corpus of n tokens, cut in its order: {@code [0, trainingEnd) [trainingEnd, validationEnd) [validationEnd, n)}
 * are training, validation and test.
 */
public record Split(long trainingEnd, long validationEnd, long tokens) {
    public static Split of(long tokens, double validation, double test) {
        return new Split(
                (long) Math.floor(tokens * (1 - validation - test)), (long) Math.floor(tokens * (1 - test)), tokens);
    }
}
