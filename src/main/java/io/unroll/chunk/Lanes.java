package io.unroll.chunk;

import java.io.IOException;

/** The batches of one replica, made from its lanes. Each read of a lane loads several chunks (a window). */
final class Lanes implements Batches {
    private static final int WINDOW_STEPS = 4096;

    private final TokenSource source;
    private final LanePlan plan;
    private final int replica;
    private final int windowChunks;
    private final int[][] window;
    private int windowStart = -1;

    Lanes(TokenSource source, LanePlan plan, int replica) {
        this.source = source;
        this.plan = plan;
        this.replica = replica;
        this.windowChunks = Math.max(1, WINDOW_STEPS / plan.tbptt());
        this.window = new int[plan.batch()][windowChunks * plan.tbptt() + 1];
    }

    @Override
    public Batch chunk(int index, int end) throws IOException {
        if (windowStart < 0 || index < windowStart || index >= windowStart + windowChunks) {
            fill(index, Math.min(end, index + windowChunks));
        }
        int lanes = plan.batch();
        int steps = plan.steps(index);
        int first = (index - windowStart) * plan.tbptt();
        int[] inputs = new int[lanes * steps];
        int[] targets = new int[lanes * steps];
        for (int lane = 0; lane < lanes; lane++) {
            System.arraycopy(window[lane], first, inputs, lane * steps, steps);
            System.arraycopy(window[lane], first + 1, targets, lane * steps, steps);
        }
        return new Batch(lanes, steps, inputs, targets);
    }

    private void fill(int start, int end) throws IOException {
        long firstStep = (long) start * plan.tbptt();
        long lastStep = Math.min((long) end * plan.tbptt(), plan.laneSteps());
        for (int lane = 0; lane < plan.batch(); lane++) {
            source.read(plan.laneStart(replica, lane) + firstStep, window[lane], 0, (int) (lastStep - firstStep) + 1);
        }
        windowStart = start;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
