package io.unroll.chunk;

/**
 * What one step of a network reads, and what it should predict.
 *
 * @param inputs {@code [lanes, steps]}, row by row
 * @param targets {@code [lanes, steps]}, or {@code [lanes]} where a whole lane has one; {@link #IGNORED} where nothing is
 *     to be predicted
 * @param lengths steps of each lane that count, where each is an example of its own; null where lanes go on from the
 *     batch before
 * @param sources what an encoder reads of each lane before its first step; null where there is nothing
 */
public record Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths, int[][] sources) {
    public static final int IGNORED = -1;

    /** Lanes of running text. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets) {
        this(lanes, steps, inputs, targets, null, null);
    }

    /** Examples without a source. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths) {
        this(lanes, steps, inputs, targets, lengths, null);
    }

    /** @return whether the recurrent state of the batch before is carried on */
    public boolean goesOn() {
        return lengths == null;
    }
}
