package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Batches;
import io.unroll.chunk.LanePlan;
import io.unroll.chunk.Plan;
import io.unroll.chunk.TokenSource;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.GradientFlow;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.model.TestShapes;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ReplicaTest {
    private static final int VOCABULARY = 3;
    private static final int TOKENS = 3_001;
    private static final int[] DELAYED_COPIES = delayedCopies();

    /** Triples: a random 0 or 1, then 2, then the first token again. */
    private static int[] delayedCopies() {
        SplittableRandom random = new SplittableRandom(5);
        int[] tokens = new int[TOKENS];
        for (int i = 0; i < TOKENS; i++) {
            tokens[i] = i % 3 == 0 ? random.nextInt(2) : i % 3 == 1 ? 2 : tokens[i - 2];
        }
        return tokens;
    }

    private static final TokenSource.Opener TEXT = hadoop ->
            (from, target, offset, count) -> System.arraycopy(DELAYED_COPIES, (int) from, target, offset, count);

    @ParameterizedTest
    @MethodSource("io.unroll.model.TestShapes#cells")
    void twoRoundsEqualOneLongRound(String cell) throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 2, 4, 8);
        try (Network network = network(cell)) {
            Weights start = start(network);

            Replica.ReplicaUpdate longRound = round(network, plan, 0, 6, start, ReplicaState.INITIAL);
            Replica.ReplicaUpdate first = round(network, plan, 0, 2, start, ReplicaState.INITIAL);
            Replica.ReplicaUpdate second =
                    round(network, plan, 2, 6, first.weights(), first.result().state());

            assertArrayEquals(longRound.weights().parameters(), second.weights().parameters());
            assertArrayEquals(longRound.weights().optimizer(), second.weights().optimizer());
            assertArrayEquals(recurrent(longRound), recurrent(second));
            assertEquals(
                    longRound.result().loss().tokens(),
                    first.result().loss().tokens() + second.result().loss().tokens());
        }
    }

    /** A chunk of one step never contains both a token and its copy two steps later. */
    @Test
    void carriedStateReachesAcrossChunks() throws IOException {
        double carried = finalLoss(true);
        double reset = finalLoss(false);

        assertTrue(carried < 0.7 * reset, carried + " with carried state, " + reset + " without");
    }

    private static double finalLoss(boolean carriesState) throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 1, 16, 1);
        Loss last = Loss.ZERO;
        try (Network network = network("cell = lstm")) {
            int iteration = 0;
            for (int epoch = 0; epoch < 8; epoch++) {
                Batches lanes = plan.open(0, 0, null);
                network.setState(RecurrentState.ZERO);
                last = Loss.ZERO;
                for (int chunk = 0; chunk < plan.chunks(); chunk++) {
                    if (!carriesState) {
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
    void reportsDivergence() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 2, 4, 8);
        try (Network network = network("cell = lstm")) {
            float[] parameters = network.parameters();
            parameters[parameters.length - 1] = Float.NaN;

            ReplicaResult result = round(
                            network, plan, 3, 9, new Weights(parameters, new float[0]), ReplicaState.INITIAL)
                    .result();

            assertNotNull(result.divergence());
            assertTrue(result.divergence().contains("the loss is NaN in chunk 3"), result.divergence());
        }
    }

    @Test
    void keepsOrResetsTheOptimizerBetweenRounds() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 2, 4, 8);
        try (Network network = network("cell = lstm")) {
            Weights start = start(network);
            Replica keeps = replica(plan, "keep");
            Replica resets = replica(plan, "reset");

            Replica.ReplicaUpdate longRound = round(keeps, network, 0, 6, start, ReplicaState.INITIAL);
            Replica.ReplicaUpdate kept = round(keeps, network, 0, 2, start, ReplicaState.INITIAL);
            kept = round(keeps, network, 2, 6, kept.weights(), kept.result().state());
            Replica.ReplicaUpdate reset = round(resets, network, 0, 2, start, ReplicaState.INITIAL);
            ReplicaState between = reset.result().state();
            reset = round(resets, network, 2, 6, reset.weights(), between);

            assertArrayEquals(longRound.weights().parameters(), kept.weights().parameters());
            assertArrayEquals(
                    longRound.result().state().optimizer(),
                    kept.result().state().optimizer());
            assertEquals(0, kept.weights().optimizer().length);
            assertEquals(0, between.optimizer().length + reset.weights().optimizer().length);
            assertFalse(Arrays.equals(
                    longRound.weights().parameters(), reset.weights().parameters()));
            // The second round equals a first round that starts from the same weights; the learning rate is constant.
            Replica.ReplicaUpdate fresh = resets.train(
                    network,
                    lanes(plan),
                    new Round(0, 0, 2, 6, false, 0, 0),
                    weightsAfter(resets, network, start),
                    between);
            assertArrayEquals(fresh.weights().parameters(), reset.weights().parameters());
        }
    }

    private static Weights weightsAfter(Replica replica, Network network, Weights start) throws IOException {
        return round(replica, network, 0, 2, start, ReplicaState.INITIAL).weights();
    }

    @Test
    void countsStepsAndTokens() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 2, 4, 8);
        var averaging = new Settings.Averaging(
                "" + (plan.chunks() - 1), Settings.AveragingMethod.MEAN, 1, 0, Settings.Updater.AVERAGE);
        try (Network network = network("cell = rnn")) {
            Snapshot before = Snapshot.initial(network.parameters(), 2);
            Round round = Round.next(RunState.initial(before), plan, averaging);
            Replica.ReplicaUpdate trained =
                    round(network, plan, round.startChunk(), round.endChunk(), before.weights(), ReplicaState.INITIAL);
            ReplicaResult result = trained.result();
            ReplicaResult other = new ReplicaResult(
                    1,
                    new ReplicaState(new RecurrentState(new float[] {1}), new float[] {3}),
                    result.loss(),
                    0.1,
                    1,
                    0,
                    0,
                    new TreeMap<>(),
                    null);

            Snapshot middle = before.after(round, trained.weights(), List.of(result, other), averaging);
            Round last = Round.next(RunState.initial(middle), plan, averaging);
            Snapshot end = middle.after(last, trained.weights(), List.of(result, other), averaging);

            assertNull(result.divergence());
            assertEquals(plan.chunks() - 1, middle.iteration());
            assertEquals(List.of(result.state(), other.state()), middle.states());
            assertEquals(2 * result.loss().tokens(), middle.tokens());
            assertEquals(1, last.endChunk() - last.startChunk());
            assertEquals(1, end.epoch());
            assertEquals(0, end.chunk());
            assertEquals(RecurrentState.ZERO, end.states().get(1).recurrent());
            assertArrayEquals(new float[] {3}, end.states().get(1).optimizer());
        }
    }

    @ParameterizedTest
    @CsvSource({"1e-9, 1", "0, 0"})
    void measuresClippingAndPaddingOfLongDocuments(String clipNorm, double clipped) throws IOException {
        // Two documents, of 3 and of 5 steps, in pieces of 2 steps.
        int[] inputs = {0, 1, 2, 0, 0, 0, 1, 2, 0, 1};
        int[] targets = {1, 2, 0, Batch.IGNORED, Batch.IGNORED, 1, 2, 0, 1, 2};
        Plan plan = new OneBatch(new Batch(2, 5, inputs, targets, new int[] {3, 5}), 2);
        try (Network network = network("cell = lstm")) {
            Replica replica = replica(plan, "average\ntraining.clip-norm = " + clipNorm);
            ReplicaResult result = round(replica, network, 0, 1, start(network), ReplicaState.INITIAL)
                    .result();
            assertEquals(clipped, result.clippedShare());
            assertEquals(0.2, result.paddingShare());
            assertEquals(8, result.loss().tokens());
        }
    }

    @ParameterizedTest
    @CsvSource({"1e-9, 1", "0, 0"})
    void aTextHasNoPadding(String clipNorm, double clipped) throws IOException {
        try (Network network = network("cell = lstm")) {
            Replica replica = replica(LanePlan.of(TEXT, TOKENS, 2, 4, 8), "average\ntraining.clip-norm = " + clipNorm);
            ReplicaResult result = round(replica, network, 0, 6, start(network), ReplicaState.INITIAL)
                    .result();
            assertEquals(clipped, result.clippedShare());
            assertEquals(0, result.paddingShare());
        }
    }

    private record OneBatch(Batch onlyBatch, int steps) implements Plan {
        @Override
        public int replicas() {
            return 1;
        }

        @Override
        public int batch() {
            return onlyBatch.lanes();
        }

        @Override
        public int chunks() {
            return 1;
        }

        @Override
        public Batches open(int replica, int epoch, Configuration hadoop) {
            return new Batches() {
                @Override
                public Batch chunk(int index, int end) {
                    return onlyBatch;
                }

                @Override
                public void close() {}
            };
        }
    }

    @Test
    void measuresGradientFlowInTheLastChunkOfAnEpoch() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, TOKENS, 1, 2, 8);
        try (Network network = network("cell = lstm")) {
            Round round = new Round(0, 0, 0, 2, true, 0, 0);
            ReplicaResult result = replica(plan, "average")
                    .train(network, lanes(plan), round, start(network), ReplicaState.INITIAL)
                    .result();

            int secondLane = TOKENS / 2;
            int[][] lanes = {
                Arrays.copyOfRange(DELAYED_COPIES, 8, 17),
                Arrays.copyOfRange(DELAYED_COPIES, secondLane + 8, secondLane + 17)
            };
            assertEquals(GradientFlow.totalNorms(network, lanes), result.gradientFlow());
        }
    }

    private static float[][] recurrent(Replica.ReplicaUpdate trained) {
        return trained.result().state().recurrent().arrays();
    }

    private static Weights start(Network network) {
        return new Weights(network.parameters(), new float[0]);
    }

    private static Replica.ReplicaUpdate round(
            Network network, LanePlan plan, int start, int end, Weights weights, ReplicaState state)
            throws IOException {
        return round(replica(plan, "average"), network, start, end, weights, state);
    }

    private static Replica.ReplicaUpdate round(
            Replica replica, Network network, int start, int end, Weights weights, ReplicaState state)
            throws IOException {
        return replica.train(
                network, lanes(replica.plan()), new Round(0, 0, start, end, false, start, 0), weights, state);
    }

    private static Batches lanes(Plan plan) throws IOException {
        return plan.open(1 % plan.replicas(), 0, null);
    }

    private static Replica replica(Plan plan, String updater) {
        Settings settings = SettingsReader.parse(
                "run.directory = none, corpus.path = none, training { epochs = 6, learning-rate = 0.01 }\n"
                        + "cluster.averaging.updater = " + updater,
                "test");
        return new Replica(0, plan, settings);
    }

    private static Network network(String cell) {
        return new Network(TestShapes.shape(VOCABULARY, "layers = 1, hidden = 5, embedding = 4, " + cell), 1);
    }
}
