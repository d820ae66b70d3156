package io.unroll.chunk;

/**
 * The inputs and targets of one training or evaluation step.
 *
 * @param inputs token ids, {@code [lanes, steps]}, row-major
 * @param targets token ids, {@code [lanes, steps]}, or one label per lane, {@code [lanes]}; {@link #IGNORED} where
 *     nothing is predicted
 * @param lengths number of valid steps in each lane if each lane is a separate, padded example; null if each lane
 *     continues the text of the previous batch
 * @param sources the encoder's input for each lane (tokens, pixels or features); null without an encoder
 */
public record Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths, int[][] sources) {
    /** A target that does not count in the loss. */
    public static final int IGNORED = -1;

    /** A batch of lanes that continue the text of the previous batch. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets) {
        this(lanes, steps, inputs, targets, null, null);
    }

    /** A batch of separate examples without sources. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths) {
        this(lanes, steps, inputs, targets, lengths, null);
    }

    /** @return whether the recurrent state is carried over from the previous batch */
    public boolean carriesState() {
        return lengths == null;
    }
}
