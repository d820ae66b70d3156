package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Lanes;
import io.unroll.chunk.Plan;
import io.unroll.chunk.TokenSource;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.model.TestShapes;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReplicaTest {
    private static final int VOCABULARY = 3;
    private static final int TOKENS = 3_001;
    private static final int[] DELAYED = delayed();

    /** A random 0 or 1, then 2, then the first again. */
    private static int[] delayed() {
        SplittableRandom random = new SplittableRandom(5);
        int[] tokens = new int[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            tokens[i] = i % 3 == 0 ? random.nextInt(2) : i % 3 == 1 ? 2 : tokens[i - 2];
        }
        return tokens;
    }

    private static final TokenSource SOURCE =
            (from, target, offset, count) -> System.arraycopy(DELAYED, (int) from, target, offset, count);

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void aRoundsBorderChangesNothing(String cell) throws IOException {
        Plan plan = Plan.of(TOKENS, 2, 4, 8);
        try (Network network = network(cell)) {
            Snapshot.Weights start = new Snapshot.Weights(network.parameters(), network.optimizerState());

            ReplicaResult whole = round(network, plan, 0, 6, start, RecurrentState.ZERO);
            ReplicaResult first = round(network, plan, 0, 2, start, RecurrentState.ZERO);
            ReplicaResult second = round(network, plan, 2, 6, first.weights(), first.state());

            assertArrayEquals(whole.weights().parameters(), second.weights().parameters());
            assertArrayEquals(whole.weights().optimizerState(), second.weights().optimizerState());
            assertArrayEquals(whole.state().arrays(), second.state().arrays());
            assertEquals(
                    whole.loss().tokens(), first.loss().tokens() + second.loss().tokens());
        }
    }

    /** A chunk of one step never holds both a symbol and its repetition, two steps later. */
    @Test
    void whatLiesBeforeTheChunkIsLearntFromCarriedStateAlone() throws IOException {
        double carried = finalLoss(true);
        double reset = finalLoss(false);

        assertTrue(carried < 0.7 * reset, carried + " with carried state, " + reset + " without");
    }

    private static double finalLoss(boolean carries) throws IOException {
        Plan plan = Plan.of(TOKENS, 1, 16, 1);
        Loss last = Loss.NONE;
        try (Network network = network("cell = lstm")) {
            int iteration = 0;
            for (int epoch = 0; epoch < 8; epoch++) {
                Lanes lanes = new Lanes(SOURCE, plan, 0);
                network.setState(RecurrentState.ZERO);
                last = Loss.NONE;
                for (int chunk = 0; chunk < plan.chunks(); chunk++) {
                    if (!carries) {
                        network.setState(RecurrentState.ZERO);
                    }
                    last = last.plus(network.train(lanes.chunk(chunk, plan.chunks()), 0.01, 5, iteration++, 0)
                            .loss());
                }
            }
        }
        return last.mean();
    }

    @Test
    void divergenceIsReported() throws IOException {
        Plan plan = Plan.of(TOKENS, 2, 4, 8);
        try (Network network = network("cell = lstm")) {
            float[] broken = network.parameters();
            broken[broken.length - 1] = Float.NaN;

            ReplicaResult bad = round(
                    network, plan, 3, 9, new Snapshot.Weights(broken, network.optimizerState()), RecurrentState.ZERO);

            assertNotNull(bad.divergence());
            assertTrue(bad.divergence().contains("the loss is NaN in chunk 3"), bad.divergence());
        }
    }

    @Test
    void stepsAndTokensAreCounted() throws IOException {
        Plan plan = Plan.of(TOKENS, 2, 4, 8);
        try (Network network = network("cell = rnn")) {
            Snapshot before = Snapshot.initial(network.parameters(), network.optimizerState(), 2);
            Round round = Round.following(
                    before, plan, new Settings.Averaging(plan.chunks() - 1, Settings.AveragingMethod.MEAN));
            ReplicaResult result =
                    round(network, plan, round.startChunk(), round.endChunk(), before.weights(), RecurrentState.ZERO);

            ReplicaResult other = new ReplicaResult(
                    1, result.weights(), new RecurrentState(new float[] {1}), result.loss(), 0.1, null);

            Snapshot middle = before.after(round, result.weights(), List.of(result, other));
            Round last = Round.following(
                    middle, plan, new Settings.Averaging(plan.chunks() - 1, Settings.AveragingMethod.MEAN));
            Snapshot end = middle.after(last, result.weights(), List.of(result, result));

            assertNull(result.divergence());
            assertEquals(plan.chunks() - 1, middle.iteration());
            assertEquals(List.of(result.state(), other.state()), middle.states());
            assertEquals(2 * result.loss().tokens(), middle.tokens());
            assertEquals(1, last.endChunk() - last.startChunk());
            assertEquals(1, end.epoch());
            assertEquals(0, end.chunk());
            assertEquals(List.of(RecurrentState.ZERO, RecurrentState.ZERO), end.states());
        }
    }

    private static ReplicaResult round(
            Network network, Plan plan, int start, int end, Snapshot.Weights weights, RecurrentState state)
            throws IOException {
        return replica(plan)
                .train(
                        network,
                        new Lanes(SOURCE, plan, 1 % plan.replicas()),
                        new Round(0, 0, start, end, false, start),
                        weights,
                        state);
    }

    private static Replica replica(Plan plan) {
        var training = new Settings.Training(
                6, plan.batch(), plan.tbptt(), Settings.Optimizer.ADAM, 0.01, Settings.Schedule.CONSTANT, 5, 0);
        return new Replica(0, plan, training, 1);
    }

    private static Network network(String cell) {
        return new Network(TestShapes.shape(VOCABULARY, "layers = 1, hidden = 5, embedding = 4, " + cell), 1);
    }
}
