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
import java.util.SortedMap;
import java.util.TreeMap;

/** One copy of the network with its own part of the corpus, for one round. */
public record Replica(int number, Plan plan, Settings settings) {
    private static final float[] NONE = {};
    private static final int MEASURED_LANES = 8;

    /** What has been learnt: weights to be averaged, and what stays with the replica. */
    public record Trained(Weights weights, ReplicaResult result) implements Serializable {}

    /**
     * Trains the round's chunks in order, the state carried from each to the next.
     *
     * @param start the network's start
     * @param state what the replica remembers from before the round
     */
    public Trained train(Network network, Batches batches, Round round, Weights start, ReplicaState state)
            throws IOException {
        Settings.Updater updater = settings.cluster().averaging().updater();
        network.setParameters(start.parameters());
        network.setOptimizerState(updater == Settings.Updater.KEEP ? state.optimizer() : start.optimizer());
        network.setState(state.recurrent());
        Sums sums = steps(network, batches, round);
        float[] optimizer = updater == Settings.Updater.RESET ? NONE : network.optimizerState();
        sums.checkMean(UniformLoss.of(network.shape()));
        boolean keeps = updater == Settings.Updater.KEEP;
        Weights trained = new Weights(network.parameters(), keeps ? NONE : optimizer);
        if (sums.divergence == null && !(trained.finite() && new Weights(NONE, optimizer).finite())) {
            sums.divergence = "the weights are not finite after chunk " + (round.endChunk() - 1);
        }
        ReplicaState next = new ReplicaState(network.state(), keeps ? optimizer : NONE);
        SortedMap<Integer, Double> flow =
                number == 0 && round.endsEpoch() ? gradientFlow(network, sums.longest) : new TreeMap<>();
        return new Trained(trained, sums.result(number, next, flow));
    }

    /** Some lanes are enough to see what vanishes and what explodes. */
    private static SortedMap<Integer, Double> gradientFlow(Network network, Batch batch) {
        if (!batch.goesOn()) {
            return new TreeMap<>();
        }
        int[][] lanes = new int[Math.min(MEASURED_LANES, batch.lanes())][];
        for (int lane = 0; lane < lanes.length; lane++) {
            int end = (lane + 1) * batch.steps();
            lanes[lane] = Arrays.copyOfRange(batch.inputs(), lane * batch.steps(), end + 1);
            lanes[lane][batch.steps()] = batch.targets()[end - 1];
        }
        return GradientFlow.ofWholeState(network, lanes);
    }

    private Sums steps(Network network, Batches batches, Round round) throws IOException {
        Settings.Training training = settings.training();
        boolean resets = settings.cluster().averaging().updater() == Settings.Updater.RESET;
        Sums sums = new Sums();
        for (int chunk = round.startChunk(); chunk < round.endChunk() && sums.divergence == null; chunk++) {
            int iteration = round.iteration() + chunk - round.startChunk();
            double progress = (double) iteration / ((long) plan.chunks() * training.epochs());
            sums.learningRate = LearningRate.at(progress, round.epoch(), round.plateaus(), training);
            Batch batch = batches.chunk(chunk, round.endChunk());
            sums.longest = sums.longest == null || batch.steps() >= sums.longest.steps() ? batch : sums.longest;
            sums.add(
                    chunk,
                    network.train(
                            batch,
                            sums.learningRate,
                            training.clipNorm(),
                            resets ? chunk - round.startChunk() : iteration,
                            Seeds.of(settings.run().seed(), round.epoch(), number, chunk)));
        }
        return sums;
    }

    private static final class Sums {
        private Loss loss = Loss.NONE;
        private double learningRate;
        private double norms;
        private int steps;
        private int clipped;
        private String divergence;
        private Batch longest;

        void add(int chunk, Network.Step step) {
            loss = loss.plus(step.loss());
            norms += step.gradientNorm();
            steps++;
            clipped += step.clipped() ? 1 : 0;
            double mean = step.loss().mean();
            if (!Double.isFinite(mean)) {
                divergence = "the loss is " + mean + " in chunk " + chunk;
            } else if (!Double.isFinite(step.gradientNorm())) {
                divergence = "the gradient's norm is " + step.gradientNorm() + " in chunk " + chunk;
            }
        }

        void checkMean(UniformLoss uniform) {
            if (divergence == null && loss.tokens() > 0 && uniform.isAbsurd(loss.mean())) {
                divergence = "the mean loss is " + uniform.compare(loss.mean());
            }
        }

        ReplicaResult result(int replica, ReplicaState state, SortedMap<Integer, Double> flow) {
            return new ReplicaResult(replica, state, loss, learningRate, norms / steps, clipped, flow, divergence);
        }
    }
}
