package io.unroll.bench;

import io.unroll.kernel.OneDnn;
import io.unroll.model.Natives;
import org.bytedeco.javacpp.FloatPointer;

/** Multiplies large float32 matrices, to measure the peak speed of the same threads. */
final class Peak implements Peer.Step {
    private static final int SIZE = 2048;
    static final double OPERATIONS = 2.0 * SIZE * SIZE * SIZE;

    private final FloatPointer a = matrix();
    private final FloatPointer b = matrix();
    private final FloatPointer c = matrix();

    Peak(int threads) {
        Natives.useThreads(threads);
    }

    private static FloatPointer matrix() {
        float[] ones = new float[SIZE * SIZE];
        java.util.Arrays.fill(ones, 1);
        return new FloatPointer(ones);
    }

    @Override
    public void run() {
        OneDnn.multiply(SIZE, SIZE, SIZE, a, b, c);
    }

    @Override
    public void close() {
        a.close();
        b.close();
        c.close();
    }
}
