package io.unroll.inference;

import io.unroll.config.Settings.Pooling;

/** Reduces the states of a network at the tokens of a text to one vector. */
final class PooledStates implements LaneRuns.Reader {
    private final Pooling pooling;
    private final int steps;
    private final double[] pooled;

    /** @param steps number of tokens of the text */
    PooledStates(Pooling pooling, int steps, int size) {
        this.pooling = pooling;
        this.steps = steps;
        this.pooled = new double[size];
    }

    @Override
    public void read(int step, float[] states, int from) {
        for (int i = 0; i < pooled.length; i++) {
            float value = states[from + i];
            pooled[i] = step == 0
                    ? value
                    : switch (pooling) {
                        case MEAN -> pooled[i] + value;
                        case MAX -> Math.max(pooled[i], value);
                        case LAST -> value;
                    };
        }
    }

    float[] vector() {
        float[] vector = new float[pooled.length];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (pooling == Pooling.MEAN ? pooled[i] / steps : pooled[i]);
        }
        return vector;
    }
}
