package io.unroll.train;

import io.unroll.model.RecurrentState;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;

/**
 * All that decides how training goes on from here.
 *
 * @param states for each replica what its lanes remember
 * @param iteration optimizer steps of each replica so far
 * @param epoch epochs finished
 * @param chunk chunks of the present epoch that are done
 * @param round rounds done
 * @param tokens tokens trained on so far, over all replicas
 */
public record Snapshot(
        Weights weights, List<RecurrentState> states, int iteration, int epoch, int chunk, int round, long tokens) {

    /** What is averaged and broadcast: {@code [parameters]}, and the optimizer's memory of them. */
    public record Weights(float[] parameters, float[] optimizerState) implements Serializable {
        /** @return whether every number is finite */
        boolean finite() {
            return finite(parameters) && finite(optimizerState);
        }

        private static boolean finite(float[] values) {
            float sum = 0;
            for (float value : values) {
                sum += value * 0;
            }
            return sum == 0;
        }
    }

    public static Snapshot initial(float[] parameters, float[] optimizerState, int replicas) {
        return new Snapshot(
                new Weights(parameters, optimizerState),
                Collections.nCopies(replicas, RecurrentState.ZERO),
                0,
                0,
                0,
                0,
                0);
    }

    /** @return the snapshot after a round, at the start of the next epoch where this one is complete */
    public Snapshot after(Round round, Weights averaged, List<ReplicaResult> results) {
        boolean complete = round.endsEpoch();
        List<RecurrentState> carried = complete
                ? Collections.nCopies(states.size(), RecurrentState.ZERO)
                : results.stream().map(ReplicaResult::state).toList();
        return new Snapshot(
                averaged,
                carried,
                iteration + round.endChunk() - round.startChunk(),
                complete ? epoch + 1 : epoch,
                complete ? 0 : round.endChunk(),
                this.round + 1,
                tokens
                        + results.stream()
                                .mapToLong(result -> result.loss().tokens())
                                .sum());
    }
}
