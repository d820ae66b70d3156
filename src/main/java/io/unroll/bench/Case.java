package io.unroll.bench;

import io.unroll.config.Settings;

/**
 * A network to train, the same for every system: an embedding of {@link #VOCABULARY} tokens, two recurrent layers and
 * a softmax, all of one size; {@link #LANES} lanes of {@link #STEPS} steps; gradients clipped by their norm; Adam.
 */
public record Case(Settings.Cell cell, int hidden, Settings.Precision precision, int threads) {
    public static final int VOCABULARY = 96;
    public static final int LAYERS = 2;
    public static final int LANES = 64;
    public static final int STEPS = 64;
    public static final double CLIP_NORM = 5;
    public static final double LEARNING_RATE = 0.002;

    static final long TOKENS = (long) LANES * STEPS;

    /** @return floating-point operations of a step: 6 for each parameter outside the embedding and each token */
    double operations() {
        int gates =
                switch (cell) {
                    case RNN -> 1;
                    case GRU -> 3;
                    case LSTM -> 4;
                };
        double layer = gates * (2.0 * hidden * hidden + hidden);
        double output = (hidden + 1.0) * VOCABULARY;
        return 6 * (LAYERS * layer + output) * TOKENS;
    }
}
