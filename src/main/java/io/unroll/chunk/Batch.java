package io.unroll.chunk;

/**
 * What one step of a network reads: tokens, and the token that each should predict.
 *
 * @param inputs {@code [lanes, steps]}, row by row
 * @param targets {@code [lanes, steps]}; {@link #IGNORED} where nothing is to be predicted
 */
public record Batch(int lanes, int steps, int[] inputs, int[] targets) {
    public static final int IGNORED = -1;
}
