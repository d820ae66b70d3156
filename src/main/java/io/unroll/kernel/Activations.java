package io.unroll.kernel;

/**
 * Activation functions in plain Java, as loops without branches, which the JVM compiles to vector instructions. They
 * give the same bits on all processors.
 */
final class Activations {
    /** Beyond it, tanh is 1 in float32, except for rounding. */
    private static final float LIMIT = 7.905311f;

    private Activations() {}

    /** Replaces each value by its tanh, with a relative error below 5e-7. */
    static void tanh(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = tanh(values[i]);
        }
    }

    /** Replaces each value by its logistic function, with an absolute error below 3e-7. */
    static void sigmoid(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5f + 0.5f * tanh(0.5f * values[i]);
        }
    }

    static void relu(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.max(0, values[i]);
        }
    }

    /** The rational minimax approximation of the Eigen library ({@code generic_fast_tanh_float}). */
    private static float tanh(float value) {
        float x = Math.max(-LIMIT, Math.min(LIMIT, value));
        float square = x * x;
        float numerator = -2.7607684e-16f;
        numerator = numerator * square + 2.000188e-13f;
        numerator = numerator * square - 8.604672e-11f;
        numerator = numerator * square + 5.1222973e-8f;
        numerator = numerator * square + 1.48572235e-5f;
        numerator = numerator * square + 6.3726195e-4f;
        numerator = numerator * square + 0.0048935246f;
        float denominator = 1.1982584e-6f;
        denominator = denominator * square + 1.1853471e-4f;
        denominator = denominator * square + 0.0022684347f;
        denominator = denominator * square + 0.004893525f;
        return x * numerator / denominator;
    }
}
