package io.unroll.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The inputs and targets of one training or evaluation step.
 *
 * @param inputs token ids, {@code [lanes, steps]}, row-major
 * @param targets token ids, {@code [lanes, steps]}, or one label per lane, {@code [lanes]}; {@link #IGNORED} where
 *     nothing is predicted
 * @param lengths number of valid steps in each lane if each lane is a separate, padded example; null if each lane
 *     continues the text of the previous batch
 * @param sources the encoder's input for each lane (tokens, pixels or features); null without an encoder
 * @param startsAtZero whether the recurrent state is zero before the first step
 * @param gradientFactors factors of the gradients of the lanes; empty for 1
 */
public record Batch(
        int lanes,
        int steps,
        int[] inputs,
        int[] targets,
        int[] lengths,
        int[][] sources,
        boolean startsAtZero,
        float[] gradientFactors) {
    /** A target that does not count in the loss. */
    public static final int IGNORED = -1;

    private static final float[] NO_FACTORS = {};

    /** A batch of lanes that continue the text of the previous batch. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets) {
        this(lanes, steps, inputs, targets, null, null, false, NO_FACTORS);
    }

    /** A batch of separate examples. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths, int[][] sources) {
        this(lanes, steps, inputs, targets, lengths, sources, true, NO_FACTORS);
    }

    /** A batch of separate examples without sources. */
    public Batch(int lanes, int steps, int[] inputs, int[] targets, int[] lengths) {
        this(lanes, steps, inputs, targets, lengths, null, true, NO_FACTORS);
    }

    public Batch withGradientFactors(float[] factors) {
        return new Batch(lanes, steps, inputs, targets, lengths, sources, startsAtZero, factors);
    }

    /** @return whether the recurrent state is carried over from the previous batch */
    public boolean carriesState() {
        return lengths == null;
    }

    public long positions() {
        return (long) lanes * steps;
    }

    /** @return the number of positions after the end of the example in their lane */
    public long paddedPositions() {
        return carriesState() ? 0 : positions() - IntStream.of(lengths).sum();
    }

    /**
     * Cuts a batch of examples without sources. The recurrent state is carried from piece to piece.
     *
     * @param maxSteps maximum number of steps of a piece
     */
    public List<Batch> pieces(int maxSteps) {
        if (steps <= maxSteps) {
            return List.of(this);
        }
        List<Batch> pieces = new ArrayList<>();
        for (int from = 0; from < steps; from += maxSteps) {
            int end = Math.min(from + maxSteps, steps);
            pieces.add(new Batch(
                    lanes,
                    end - from,
                    columns(inputs, from, end),
                    columns(targets, from, end),
                    null,
                    null,
                    from == 0,
                    gradientFactors));
        }
        return pieces;
    }

    private int[] columns(int[] matrix, int from, int end) {
        int[] columns = new int[lanes * (end - from)];
        for (int lane = 0; lane < lanes; lane++) {
            System.arraycopy(matrix, lane * steps + from, columns, lane * (end - from), end - from);
        }
        return columns;
    }
}
