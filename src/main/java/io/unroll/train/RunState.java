package io.unroll.train;

import io.unroll.config.Settings;

/**
 * Where a run stands.
 *
 * @param report on the last round; null before the first
 * @param validationLoss the last one, nats per token; null where there has been none
 * @param best the round after which the validation loss was lowest; null where there has been none
 * @param plateau how the validation loss has stayed
 */
public record RunState(Snapshot snapshot, RoundReport report, Double validationLoss, Best best, Plateau plateau) {
    public record Best(int round, int epoch, double validationLoss) {}

    /**
     * @param epochs without a better validation loss, since the last better one or decay
     * @param decays times that there were as many as the patience
     */
    public record Plateau(int epochs, int decays) {
        static final Plateau NONE = new Plateau(0, 0);

        Plateau longer(int patience) {
            return epochs + 1 < patience ? new Plateau(epochs + 1, decays) : new Plateau(0, decays + 1);
        }
    }

    public RunState {
        // Checkpoints of version 0.1 do not have it.
        plateau = plateau == null ? Plateau.NONE : plateau;
    }

    public static RunState before(Snapshot snapshot) {
        return new RunState(snapshot, null, null, null, Plateau.NONE);
    }

    /**
     * @param patience epochs without a better validation loss that make a plateau
     * @return the state after a round, which has led to the snapshot
     */
    public RunState after(Snapshot next, RoundReport done, int patience) {
        Double validated = done.validationLoss();
        boolean better = validated != null && (best == null || validated < best.validationLoss);
        if (validated == null) {
            return new RunState(next, done, validationLoss, best, plateau);
        }
        return better
                ? new RunState(
                        next,
                        done,
                        validated,
                        new Best(next.round(), next.epoch(), validated),
                        new Plateau(0, plateau.decays))
                : new RunState(next, done, validated, best, plateau.longer(patience));
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
