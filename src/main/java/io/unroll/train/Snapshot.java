package io.unroll.train;

import io.unroll.config.Settings;
import java.util.Collections;
import java.util.List;

/**
 * Weights, states and counters between two rounds: everything that determines the rest of the training.
 *
 * @param weights weights at the start of the next round
 * @param velocity velocity of the {@link OuterStep}, {@code [parameters]}; empty if there is none
 * @param states state of each replica
 * @param iteration optimizer steps of each replica so far
 * @param epoch completed epochs
 * @param chunk completed chunks of the current epoch
 * @param round completed rounds
 * @param tokens tokens trained on so far, over all replicas
 */
public record Snapshot(
        Weights weights,
        float[] velocity,
        List<ReplicaState> states,
        int iteration,
        int epoch,
        int chunk,
        int round,
        long tokens) {

    public static Snapshot initial(float[] parameters, int replicas) {
        return new Snapshot(
                new Weights(parameters, new float[0]),
                new float[0],
                Collections.nCopies(replicas, ReplicaState.INITIAL),
                0,
                0,
                0,
                0,
                0);
    }

    /**
     * @param mean mean of the weights of the replicas
     * @return the snapshot after a round; if the round ends an epoch, the snapshot at the start of the next epoch
     */
    public Snapshot after(Round round, Weights mean, List<ReplicaResult> results, Settings.Averaging averaging) {
        boolean endsEpoch = round.endsEpoch();
        OuterStep step = OuterStep.take(new OuterStep(weights.parameters(), velocity), mean.parameters(), averaging);
        return new Snapshot(
                new Weights(step.start(), mean.optimizer()),
                step.velocity(),
                results.stream()
                        .map(ReplicaResult::state)
                        .map(state -> endsEpoch ? state.startOfEpoch() : state)
                        .toList(),
                iteration + round.endChunk() - round.startChunk(),
                endsEpoch ? epoch + 1 : epoch,
                endsEpoch ? 0 : round.endChunk(),
                this.round + 1,
                tokens
                        + results.stream()
                                .mapToLong(result -> result.loss().tokens())
                                .sum());
    }

    /** @return the parameters of the model, for validation and the model folder, {@code [parameters]} */
    public float[] modelParameters(Settings.Averaging averaging) {
        return new OuterStep(weights.parameters(), velocity).weights(averaging);
    }
}
