package io.unroll.train;

import io.unroll.config.Settings;

/** The learning rate of each optimizer step. */
final class LearningRate {
    private LearningRate() {}

    /**
     * @param progress share of the run's steps that are done, from 0 to below 1
     * @param epochs that are done
     * @param plateaus on which the validation loss has stayed so far
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
