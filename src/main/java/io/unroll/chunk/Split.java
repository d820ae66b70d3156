package io.unroll.chunk;

/**
 * A corpus of n tokens, cut in its order: {@code [0, trainingEnd) [trainingEnd, validationEnd) [validationEnd, n)}
 * are training, validation and test.
 */
public record Split(long trainingEnd, long validationEnd, long tokens) {
    /** What is held out from training. */
    public enum Part {
        VALIDATION,
        TEST
    }

    public static Split of(long tokens, double validation, double test) {
        return new Split(share(tokens, 1 - validation - test), share(tokens, 1 - test), tokens);
    }

    /** Shares that a double cannot hold, such as 1 - 0.05 - 0.05, must not cost a token. */
    private static long share(long tokens, double share) {
        return (long) Math.floor(tokens * share + 1e-6);
    }
}
