package io.unroll.train;

import io.unroll.config.Settings;

/** Computes the learning rate of an optimizer step by {@code training.schedule}. */
final class LearningRate {
    private LearningRate() {}

    /**
     * @param progress completed share of all steps of the run, in [0, 1)
     * @param epochs completed epochs
     * @param plateaus plateaus of the validation loss so far
     */
    static double at(double progress, int epochs, int plateaus, Settings.Training training) {
        double factor =
                switch (training.schedule()) {
                    case CONSTANT -> 1;
                    case LINEAR -> 1 - progress;
                    case COSINE -> (1 + Math.cos(Math.PI * progress)) / 2;
                    case STEP -> Math.pow(training.decay(), Math.max(0, epochs - training.decayAfter() + 1));
                    case PLATEAU -> Math.pow(training.decay(), plateaus);
                };
        return training.learningRate() * factor;
    }
}
