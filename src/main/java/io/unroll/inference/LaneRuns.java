package io.unroll.inference;

import io.unroll.chunk.Batch;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.model.Trainee;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Runs sequences through a network in batches of a few fixed shapes, so that what it computes for a sequence depends on
 * the sequence, its first state and the weights, and not on the other sequences. A sequence stays in one lane and is cut
 * into pieces whose lengths are powers of 2, the longest first; a batch has pieces of equal length, and zeros in the
 * lanes that are left over:
 *
 * <pre>
 *   sequence of 87 steps      64                          16     4  2  1
 * </pre>
 */
final class LaneRuns {
    private static final int MAX_STEPS = 64;
    /** Maximum number of values that a batch computes: 16 MiB. */
    private static final int MAX_VALUES = 1 << 22;

    private static final int LANES = 64;
    /** Sequences with a state are few: those of one document follow each other. */
    private static final int LANES_WITH_STATE = 16;
    /** Long sequences are few. */
    private static final int LANES_OF_LONG = 8;

    private static final int LONG = 2048;

    /** Receives what the network computes for a sequence. */
    interface Reader {
        /**
         * @param step of the sequence; the steps are in order
         * @param values of all lanes
         * @param from index of the first value of this step
         */
        void read(int step, float[] values, int from);
    }

    /** A sequence on its way through the network. */
    static final class Run {
        private final int[] inputs;
        private final Reader reader;
        private final Run next;
        private final boolean keepsState;
        private int position;
        /** The current state, an array of numbers for each array of the network; null for zero. */
        private float[][] state;

        private Run(int[] inputs, Reader reader, Run next, boolean keepsState, float[][] state) {
            this.inputs = inputs;
            this.reader = reader;
            this.next = next;
            this.keepsState = keepsState;
            this.state = state;
        }

        /** @return a sequence that starts from the zero state */
        static Run alone(int[] inputs, Reader reader) {
            return new Run(inputs, reader, null, false, null);
        }

        /**
         * @param state to start from; null for zero, or if another sequence has this one as its next
         * @param next the sequence that continues from the last state of this one; null for none
         */
        static Run withState(int[] inputs, Reader reader, float[][] state, Run next) {
            return new Run(inputs, reader, next, true, state);
        }

        /** @return the state after the last step */
        float[][] state() {
            return state;
        }

        private int rest() {
            return inputs.length - position;
        }
    }

    private record Shape(int steps, int lanes) {}

    private final Trainee network;
    private final Function<Batch, float[]> compute;
    private final int values;
    private final int stateArrays;
    private final int hidden;
    private final Map<Shape, Deque<Run>> waiting =
            new TreeMap<>(Comparator.comparingInt(Shape::steps).thenComparingInt(Shape::lanes));

    /**
     * @param compute returns {@code [steps, lanes, values]} for a batch
     * @param values number of values for each step of a lane
     */
    LaneRuns(Trainee network, NetworkShape shape, Function<Batch, float[]> compute, int values) {
        this.network = network;
        this.compute = compute;
        this.values = values;
        this.stateArrays = shape.stateArrays();
        this.hidden = shape.model().hidden();
    }

    void run(List<Run> runs) {
        runs.forEach(this::await);
        while (!waiting.isEmpty()) {
            runBatch(nextShape());
        }
    }

    private void await(Run run) {
        Run current = run;
        while (current != null && current.rest() == 0) {
            current = successor(current);
        }
        if (current != null) {
            waiting.computeIfAbsent(shape(current), any -> new ArrayDeque<>()).add(current);
        }
    }

    private static Run successor(Run done) {
        if (done.next != null) {
            done.next.state = done.state;
        }
        return done.next;
    }

    private Shape shape(Run run) {
        int lanes = run.keepsState ? LANES_WITH_STATE : run.inputs.length > LONG ? LANES_OF_LONG : LANES;
        int maxSteps = Math.max(1, Math.min(MAX_STEPS, MAX_VALUES / (lanes * values)));
        return new Shape(Integer.highestOneBit(Math.min(run.rest(), maxSteps)), lanes);
    }

    /** @return the shortest shape whose lanes are all taken; if there is none, the longest one: its rests fill others */
    private Shape nextShape() {
        Shape longest = null;
        for (Map.Entry<Shape, Deque<Run>> entry : waiting.entrySet()) {
            longest = entry.getKey();
            if (entry.getValue().size() >= longest.lanes) {
                return longest;
            }
        }
        return longest;
    }

    private void runBatch(Shape shape) {
        Deque<Run> queue = waiting.get(shape);
        List<Run> lanes = new ArrayList<>();
        while (!queue.isEmpty() && lanes.size() < shape.lanes) {
            lanes.add(queue.poll());
        }
        if (queue.isEmpty()) {
            waiting.remove(shape);
        }
        int[] inputs = new int[shape.lanes * shape.steps];
        float[][] states = new float[stateArrays][shape.lanes * hidden];
        for (int lane = 0; lane < lanes.size(); lane++) {
            Run run = lanes.get(lane);
            System.arraycopy(run.inputs, run.position, inputs, lane * shape.steps, shape.steps);
            for (int i = 0; run.state != null && i < stateArrays; i++) {
                System.arraycopy(run.state[i], 0, states[i], lane * hidden, hidden);
            }
        }
        network.setState(new RecurrentState(states));
        float[] results = compute.apply(new Batch(shape.lanes, shape.steps, inputs, new int[inputs.length]));
        float[][] after = network.state().arrays();
        for (int lane = 0; lane < lanes.size(); lane++) {
            advance(lanes.get(lane), lane, shape, results, after);
        }
    }

    private void advance(Run run, int lane, Shape shape, float[] results, float[][] after) {
        for (int step = 0; step < shape.steps; step++) {
            run.reader.read(run.position + step, results, (step * shape.lanes + lane) * values);
        }
        run.position += shape.steps;
        if (run.keepsState || run.rest() > 0) {
            run.state = new float[stateArrays][hidden];
            for (int i = 0; i < stateArrays; i++) {
                System.arraycopy(after[i], lane * hidden, run.state[i], 0, hidden);
            }
        } else {
            run.state = null;
        }
        await(run);
    }
}
