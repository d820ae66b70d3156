package io.unroll.train;

import java.util.SplittableRandom;

/** What decides which activations are dropped: the run's seed, and the step's place, not who computes it. */
public final class DropoutSeed {
    private DropoutSeed() {}

    /** @param chunk in the replica's epoch */
    public static long of(long seed, int epoch, int replica, int chunk) {
        long mixed = seed;
        for (int part : new int[] {epoch, replica, chunk}) {
            mixed = new SplittableRandom(mixed + part).nextLong();
        }
        return mixed;
    }
}
