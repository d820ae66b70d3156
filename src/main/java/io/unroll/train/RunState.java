package io.unroll.train;

import io.unroll.config.Settings;

/**
 * Where a run stands.
 *
 * @param report on the last round; null before the first
 * @param validationLoss the last one, nats per token; null where there has been none
 * @param best the round after which the validation loss was lowest; null where there has been none
 */
public record RunState(Snapshot snapshot, RoundReport report, Double validationLoss, Best best) {
    public record Best(int round, int epoch, double validationLoss) {}

    public static RunState before(Snapshot snapshot) {
        return new RunState(snapshot, null, null, null);
    }

    /** @return the state after a round, which has led to the snapshot */
    public RunState after(Snapshot next, RoundReport done) {
        Double validated = done.validationLoss();
        boolean better = validated != null && (best == null || validated < best.validationLoss);
        return new RunState(
                next,
                done,
                validated == null ? validationLoss : validated,
                better ? new Best(next.round(), next.epoch(), validated) : best);
    }

    /** @return whether no round has led to a lower validation loss than the last one */
    public boolean isBest() {
        return best != null && best.round == snapshot.round();
    }

    public boolean finished(Settings.Training training) {
        int bestEpoch = best == null ? 0 : best.epoch;
        boolean patienceEnds = training.earlyStopping() > 0 && snapshot.epoch() - bestEpoch >= training.earlyStopping();
        return snapshot.epoch() >= training.epochs() || patienceEnds;
    }
}
