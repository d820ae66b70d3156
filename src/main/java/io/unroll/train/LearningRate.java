package io.unroll.train;

import io.unroll.config.Settings;

/** The learning rate of each optimizer step; a pure function of the step. */
final class LearningRate {
    private LearningRate() {}

    /** @param progress share of the run's steps that are done, from 0 to below 1 */
    static double at(double progress, Settings.Training training) {
        double factor =
                switch (training.schedule()) {
                    case CONSTANT -> 1;
                    case LINEAR -> 1 - progress;
                    case COSINE -> (1 + Math.cos(Math.PI * progress)) / 2;
                };
        return training.learningRate() * factor;
    }
}
