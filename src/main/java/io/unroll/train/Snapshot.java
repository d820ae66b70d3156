package io.unroll.train;

import io.unroll.config.Settings;
import java.util.Collections;
import java.util.List;

/**
 * All that decides how training goes on from here.
 *
 * @param weights with which the next round starts
 * @param velocity of the {@link OuterStep}s, {@code [parameters]}; empty where there is none
 * @param states what is each replica's own
 * @param iteration optimizer steps of each replica so far
 * @param epoch epochs finished
 * @param chunk chunks of the present epoch that are done
 * @param round rounds done
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
     * @param mean of the replicas' weights
     * @return the snapshot after a round, at the start of the next epoch where this one is complete
     */
    public Snapshot after(Round round, Weights mean, List<ReplicaResult> results, Settings.Averaging averaging) {
        boolean complete = round.endsEpoch();
        OuterStep step = OuterStep.take(new OuterStep(weights.parameters(), velocity), mean.parameters(), averaging);
        return new Snapshot(
                new Weights(step.start(), mean.optimizer()),
                step.velocity(),
                results.stream()
                        .map(ReplicaResult::state)
                        .map(state -> complete ? state.startOfEpoch() : state)
                        .toList(),
                iteration + round.endChunk() - round.startChunk(),
                complete ? epoch + 1 : epoch,
                complete ? 0 : round.endChunk(),
                this.round + 1,
                tokens
                        + results.stream()
                                .mapToLong(result -> result.loss().tokens())
                                .sum());
    }

    /** @return the parameters to be validated and published, {@code [parameters]} */
    public float[] model(Settings.Averaging averaging) {
        return new OuterStep(weights.parameters(), velocity).weights(averaging);
    }
}
