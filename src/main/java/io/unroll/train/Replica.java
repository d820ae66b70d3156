package io.unroll.train;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Batches;
import io.unroll.chunk.Plan;
import io.unroll.chunk.Seeds;
import io.unroll.config.Settings;
import io.unroll.model.GradientFlow;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Trains one copy of the network on its part of the corpus, for one round. */
public record Replica(int number, Plan plan, Settings settings) {
    private static final float[] EMPTY = {};
    private static final int MAX_FLOW_LANES = 8;

    /** The result of a round: weights to average, and everything else. */
    public record ReplicaUpdate(Weights weights, ReplicaResult result) implements Serializable {}

    /**
     * Trains on the chunks of the round in order, and carries the hidden state from chunk to chunk.
     *
     * @param start weights at the start of the round, the same for all replicas
     * @param state state of this replica after the previous round
     */
    public ReplicaUpdate train(Network network, Batches batches, Round round, Weights start, ReplicaState state)
            throws IOException {
        Settings.Updater updater = settings.cluster().averaging().updater();
        network.setParameters(start.parameters());
        network.setOptimizerState(updater == Settings.Updater.KEEP ? state.optimizer() : start.optimizer());
        network.setState(state.recurrent());
        RoundTotals totals = trainChunks(network, batches, round);
        float[] optimizer = updater == Settings.Updater.RESET ? EMPTY : network.optimizerState();
        totals.checkMean(UniformLoss.of(network.shape()));
        boolean keepsOptimizer = updater == Settings.Updater.KEEP;
        Weights trained = new Weights(network.parameters(), keepsOptimizer ? EMPTY : optimizer);
        if (totals.divergence == null && !(trained.finite() && new Weights(EMPTY, optimizer).finite())) {
            totals.divergence = "the weights are not finite after chunk " + (round.endChunk() - 1);
        }
        ReplicaState next = new ReplicaState(network.state(), keepsOptimizer ? optimizer : EMPTY);
        SortedMap<Integer, Double> flow =
                number == 0 && round.endsEpoch() ? gradientFlow(network, totals.longestBatch) : new TreeMap<>();
        return new ReplicaUpdate(trained, totals.result(number, next, flow));
    }

    /** @return the gradient flow in the first lanes of the batch; empty if its lanes do not carry state */
    private static SortedMap<Integer, Double> gradientFlow(Network network, Batch batch) {
        if (!batch.carriesState()) {
            return new TreeMap<>();
        }
        int[][] lanes = new int[Math.min(MAX_FLOW_LANES, batch.lanes())][];
        for (int lane = 0; lane < lanes.length; lane++) {
            int end = (lane + 1) * batch.steps();
            lanes[lane] = Arrays.copyOfRange(batch.inputs(), lane * batch.steps(), end + 1);
            lanes[lane][batch.steps()] = batch.targets()[end - 1];
        }
        return GradientFlow.totalNorms(network, lanes);
    }

    private RoundTotals trainChunks(Network network, Batches batches, Round round) throws IOException {
        Settings.Training training = settings.training();
        boolean resetsOptimizer = settings.cluster().averaging().updater() == Settings.Updater.RESET;
        RoundTotals totals = new RoundTotals();
        for (int chunk = round.startChunk(); chunk < round.endChunk() && totals.divergence == null; chunk++) {
            int iteration = round.iteration() + chunk - round.startChunk();
            double progress = (double) iteration / ((long) plan.chunks() * training.epochs());
            totals.learningRate = LearningRate.at(progress, round.epoch(), round.plateaus(), training);
            Batch batch = batches.chunk(chunk, round.endChunk());
            totals.add(batch);
            List<Batch> pieces = batch.pieces(plan.steps());
            for (int piece = 0; piece < pieces.size(); piece++) {
                long seed = Seeds.of(settings.run().seed(), round.epoch(), number, chunk);
                totals.add(
                        chunk,
                        network.train(
                                pieces.get(piece),
                                totals.learningRate,
                                training.clipNorm(),
                                resetsOptimizer ? chunk - round.startChunk() : iteration,
                                piece == 0 ? seed : Seeds.of(seed, piece)));
            }
        }
        return totals;
    }

    private static final class RoundTotals {
        private Loss loss = Loss.ZERO;
        private double learningRate;
        private double normSum;
        private int steps;
        private int clippedSteps;
        private long positions;
        private long paddedPositions;
        private String divergence;
        /** The last of the batches with the most steps; the last chunk of an epoch may be shorter. */
        private Batch longestBatch;

        void add(Batch batch) {
            longestBatch = longestBatch == null || batch.steps() >= longestBatch.steps() ? batch : longestBatch;
            positions += batch.positions();
            paddedPositions += batch.paddedPositions();
        }

        void add(int chunk, Network.Step step) {
            loss = loss.plus(step.loss());
            normSum += step.gradientNorm();
            steps++;
            clippedSteps += step.clipped() ? 1 : 0;
            double mean = step.loss().mean();
            if (!Double.isFinite(mean)) {
                divergence = "the loss is " + mean + " in chunk " + chunk;
            } else if (!Double.isFinite(step.gradientNorm())) {
                divergence = "the gradient's norm is " + step.gradientNorm() + " in chunk " + chunk;
            }
        }

        void checkMean(UniformLoss uniform) {
            if (divergence == null && loss.tokens() > 0 && uniform.isDiverged(loss.mean())) {
                divergence = "the mean loss is " + uniform.describe(loss.mean());
            }
        }

        ReplicaResult result(int replica, ReplicaState state, SortedMap<Integer, Double> flow) {
            return new ReplicaResult(
                    replica,
                    state,
                    loss,
                    learningRate,
                    normSum / steps,
                    (double) clippedSteps / steps,
                    (double) paddedPositions / positions,
                    flow,
                    divergence);
        }
    }
}
