package io.unroll.train;

import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import java.io.Serializable;

/**
 * What every replica does between two averagings: chunks {@code [startChunk, endChunk)} of one epoch.
 *
 * @param number rounds that came before this one
 * @param iteration optimizer steps that came before this round
 * @param plateaus on which the validation loss has stayed before it
 */
public record Round(int number, int epoch, int startChunk, int endChunk, boolean endsEpoch, int iteration, int plateaus)
        implements Serializable {
    public static Round following(RunState state, Plan plan, Settings.Averaging averaging) {
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
}
