package io.unroll.train;

import io.unroll.config.Settings;

/**
 * The state of a run between two rounds; a checkpoint contains it.
 *
 * @param report report of the last round; null before the first round
 * @param validationLoss last validation loss, nats per token; null before the first validation
 * @param best round with the lowest validation loss; null before the first validation
 * @param plateau current plateau of the validation loss
 */
public record RunState(Snapshot snapshot, RoundReport report, Double validationLoss, Best best, Plateau plateau) {
    public record Best(int round, int epoch, double validationLoss) {}

    /**
     * @param epochs epochs without a new lowest validation loss, since the lowest one or since the last decay
     * @param decays number of times that {@code epochs} reached the patience
     */
    public record Plateau(int epochs, int decays) {
        static final Plateau NONE = new Plateau(0, 0);

        Plateau afterWorseEpoch(int patience) {
            return epochs + 1 < patience ? new Plateau(epochs + 1, decays) : new Plateau(0, decays + 1);
        }
    }

    public RunState {
        // Checkpoints of version 0.1 have no plateau.
        plateau = plateau == null ? Plateau.NONE : plateau;
    }

    /** @return the state before the first round */
    public static RunState initial(Snapshot snapshot) {
        return new RunState(snapshot, null, null, null, Plateau.NONE);
    }

    /**
     * @param next snapshot after the round
     * @param nextReport report of the round
     * @param patience number of epochs without a new lowest validation loss that count as a plateau
     * @return the state after a round
     */
    public RunState after(Snapshot next, RoundReport nextReport, int patience) {
        Double nextLoss = nextReport.validationLoss();
        if (nextLoss == null) {
            return new RunState(next, nextReport, validationLoss, best, plateau);
        }
        boolean better = best == null || nextLoss < best.validationLoss;
        if (!better) {
            return new RunState(next, nextReport, nextLoss, best, plateau.afterWorseEpoch(patience));
        }
        Best newBest = new Best(next.round(), next.epoch(), nextLoss);
        return new RunState(next, nextReport, nextLoss, newBest, new Plateau(0, plateau.decays));
    }

    /** @return whether the last round has the lowest validation loss so far */
    public boolean isBest() {
        return best != null && best.round == snapshot.round();
    }

    /** @return whether the run has completed all epochs or stops early */
    public boolean finished(Settings.Training training) {
        int bestEpoch = best == null ? 0 : best.epoch;
        boolean stopsEarly = training.earlyStopping() > 0 && snapshot.epoch() - bestEpoch >= training.earlyStopping();
        return snapshot.epoch() >= training.epochs() || stopsEarly;
    }
}
