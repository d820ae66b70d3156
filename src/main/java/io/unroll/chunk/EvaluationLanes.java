package io.unroll.chunk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lays a run of tokens out in lanes for evaluation, so that every token but the context is predicted exactly once. A
 * lane first reads up to {@link #WARM_UP} tokens before its own, uncounted, so that it starts with a state nearly as
 * if one lane had read the whole run:
 *
 * <pre>
 *   tokens   c c c d e f g h i j k l m n o       c: context, given and not predicted
 *   lane 0   c c c d e f g h                     predicts d .. i
 *   lane 1             g h i j k l m n           predicts j .. o, warmed by g h
 * </pre>
 */
public final class EvaluationLanes {
    /** Tokens predicted by one task. */
    public static final int SHARD = 1 << 16;

    public static final int WARM_UP = 64;
    private static final int MOST_LANES = 64;
    private static final int LANE_STEPS = 1024;

    private final int[] tokens;
    private final int first;
    private final int lanes;
    private final int laneSteps;

    /** @param context how many tokens at the start are given and not predicted; one at least is never predicted */
    public EvaluationLanes(int[] tokens, int context) {
        this.tokens = tokens;
        this.first = Math.max(1, context);
        int predicted = Math.max(0, tokens.length - first);
        this.lanes = Math.max(1, Math.min(MOST_LANES, predicted / LANE_STEPS));
        this.laneSteps = (predicted + lanes - 1) / lanes;
    }

    /** @return batches of at most so many steps, to be read one after the other with carried state */
    public List<Batch> batches(int steps) {
        int longest = 0;
        for (int lane = 0; lane < lanes; lane++) {
            longest = Math.max(longest, end(lane) - 1 - start(lane));
        }
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
