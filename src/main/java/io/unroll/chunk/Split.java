package io.unroll.chunk;

/**
 * Split of a text into consecutive parts: training {@code [0, trainingEnd)}, validation
 * {@code [trainingEnd, validationEnd)}, test {@code [validationEnd, tokens)}.
 */
public record Split(long trainingEnd, long validationEnd, long tokens) {
    /** A part that is held out from training. */
    public enum Part {
        VALIDATION,
        TEST
    }

    /** @param validation fraction of the tokens, from 0 to 1; likewise {@code test} */
    public static Split of(long tokens, double validation, double test) {
        return new Split(end(tokens, 1 - validation - test), end(tokens, 1 - test), tokens);
    }

    /** Tolerates rounding errors in fractions such as 1 - 0.05 - 0.05, which must not lose a token. */
    private static long end(long tokens, double fraction) {
        return (long) Math.floor(tokens * fraction + 1e-6);
    }
}
