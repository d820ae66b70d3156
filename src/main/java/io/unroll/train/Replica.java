package io.unroll.train;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Lanes;
import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import java.io.IOException;
import java.io.Serializable;
import java.util.SplittableRandom;

/** One copy of the network with its own lanes, for one round. */
public record Replica(int number, Plan plan, Settings.Training training, long seed) implements Serializable {
    /**
     * Trains the round's chunks in order, the state carried from each to the next.
     *
     * @param weights the network's start
     * @param state what the lanes remember from before the round
     */
    public ReplicaResult train(
            Network network, Lanes lanes, Round round, Snapshot.Weights weights, RecurrentState state)
            throws IOException {
        network.setParameters(weights.parameters());
        network.setOptimizerState(weights.optimizerState());
        network.setState(state);
        Loss loss = Loss.NONE;
        double rate = 0;
        String divergence = null;
        for (int chunk = round.startChunk(); chunk < round.endChunk() && divergence == null; chunk++) {
            int iteration = round.iteration() + chunk - round.startChunk();
            rate = LearningRate.at((double) iteration / ((long) plan.chunks() * training.epochs()), training);
            Batch batch = lanes.chunk(chunk, round.endChunk());
            Network.Step step =
                    network.train(batch, rate, training.clipNorm(), iteration, dropoutSeed(round.epoch(), chunk));
            loss = loss.plus(step.loss());
            divergence = divergence(step, chunk);
        }
        Snapshot.Weights trained = new Snapshot.Weights(network.parameters(), network.optimizerState());
        if (divergence == null && !trained.finite()) {
            divergence = "the weights are not finite after chunk " + (round.endChunk() - 1);
        }
        return new ReplicaResult(number, trained, network.state(), loss, rate, divergence);
    }

    private static String divergence(Network.Step step, int chunk) {
        double loss = step.loss().mean();
        if (Double.isFinite(loss) && Double.isFinite(step.gradientNorm())) {
            return null;
        }
        return Double.isFinite(loss)
                ? "the gradient's norm is " + step.gradientNorm() + " in chunk " + chunk
                : "the loss is " + loss + " in chunk " + chunk;
    }

    private long dropoutSeed(int epoch, int chunk) {
        long mixed = seed;
        for (int part : new int[] {epoch, number, chunk}) {
            mixed = new SplittableRandom(mixed + part).nextLong();
        }
        return mixed;
    }
}
