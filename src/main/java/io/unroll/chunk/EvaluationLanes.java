package io.unroll.chunk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Splits a sequence of tokens into lanes for evaluation, so that every token after the context is predicted exactly
 * once. A lane first reads up to {@link #WARM_UP} preceding tokens without scoring them, so that its recurrent state is
 * close to the state after reading the entire sequence:
 *
 * <pre>
 *   tokens   c c c d e f g h i j k l m n o       c: context, not predicted
 *   lane 0   c c c d e f g h                     predicts d .. i
 *   lane 1             g h i j k l m n           predicts j .. o, warm-up: g h
 * </pre>
 */
public final class EvaluationLanes {
    /** Number of tokens that one Spark task predicts. */
    public static final int SHARD = 1 << 16;

    /** Maximum number of tokens that a lane reads before its first predicted token. */
    public static final int WARM_UP = 64;

    private static final int MAX_LANES = 64;
    private static final int MIN_LANE_STEPS = 1024;

    private final int[] tokens;
    private final int first;
    private final int lanes;
    private final int laneSteps;

    /** @param context number of leading tokens that are not predicted; the first token is never predicted */
    public EvaluationLanes(int[] tokens, int context) {
        this.tokens = tokens;
        this.first = Math.max(1, context);
        int predicted = Math.max(0, tokens.length - first);
        this.lanes = Math.max(1, Math.min(MAX_LANES, predicted / MIN_LANE_STEPS));
        this.laneSteps = (predicted + lanes - 1) / lanes;
    }

    /** @return batches of at most {@code steps} steps, to be read in this order with carried state */
    public List<Batch> batches(int steps) {
        int longest = IntStream.range(0, lanes)
                .map(lane -> end(lane) - 1 - start(lane))
                .max()
                .orElse(0);
        List<Batch> batches = new ArrayList<>();
        for (int from = 0; from < longest; from += steps) {
            batches.add(batch(from, Math.min(steps, longest - from)));
        }
        return batches;
    }

    private Batch batch(int from, int steps) {
        int[] inputs = new int[lanes * steps];
        int[] targets = new int[lanes * steps];
        Arrays.fill(targets, Batch.IGNORED);
        for (int lane = 0; lane < lanes; lane++) {
            for (int step = 0; step < steps; step++) {
                int target = start(lane) + from + step + 1;
                if (target < end(lane)) {
                    inputs[lane * steps + step] = tokens[target - 1];
                    targets[lane * steps + step] = target < predictedFrom(lane) ? Batch.IGNORED : tokens[target];
                }
            }
        }
        return new Batch(lanes, steps, inputs, targets);
    }

    private int predictedFrom(int lane) {
        return Math.min(first + lane * laneSteps, tokens.length);
    }

    private int end(int lane) {
        return predictedFrom(lane + 1);
    }

    private int start(int lane) {
        return Math.max(0, predictedFrom(lane) - 1 - WARM_UP);
    }
}
