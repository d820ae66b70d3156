package io.unroll.train;

import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import java.io.Serializable;

/**
 * The chunks that every replica trains on between two averagings: {@code [startChunk, endChunk)} of one epoch.
 *
 * @param number number of the round, from 0
 * @param epoch number of the epoch, from 0
 * @param iteration optimizer steps before this round
 * @param plateaus plateaus of the validation loss before this round
 */
public record Round(int number, int epoch, int startChunk, int endChunk, boolean endsEpoch, int iteration, int plateaus)
        implements Serializable {
    /** @return the round after this state */
    public static Round next(RunState state, Plan plan, Settings.Averaging averaging) {
        Snapshot snapshot = state.snapshot();
        int chunks = plan.chunks();
        int every = averaging.everyChunks() == Settings.Averaging.EPOCH ? chunks : averaging.everyChunks();
        int end = (int) Math.min(chunks, (long) snapshot.chunk() + every);
        return new Round(
                snapshot.round(),
                snapshot.epoch(),
                snapshot.chunk(),
                end,
                end == chunks,
                snapshot.iteration(),
                state.plateau().decays());
    }

    /** @return the number of chunks of the round, per replica */
    public int chunks() {
        return endChunk - startChunk;
    }
}
