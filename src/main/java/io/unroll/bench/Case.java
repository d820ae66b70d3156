package io.unroll.bench;

import io.unroll.config.Settings;

/**
 * A network to train with every system: an embedding of {@link #VOCABULARY} tokens, {@link #LAYERS} recurrent layers of
 * the same size and a softmax; batches of {@link #LANES} lanes (rows) with {@link #STEPS} steps; clipping of the
 * gradient norm; Adam.
 *
 * @param hidden size of the embedding and of each layer
 * @param threads threads per replica
 */
public record Case(Settings.Cell cell, int hidden, Settings.Precision precision, int threads) {
    public static final int VOCABULARY = 96;
    public static final int LAYERS = 2;
    public static final int LANES = 64;
    public static final int STEPS = 64;
    public static final double CLIP_NORM = 5;
    public static final double LEARNING_RATE = 0.002;

    static final long TOKENS = (long) LANES * STEPS;

    /** @return floating-point operations of a training step: 6 per token and parameter outside the embedding */
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
