package io.unroll.chunk;

import java.util.SplittableRandom;

/** What decides a random choice: the run's seed and the choice's place, not who makes it. */
public final class Seeds {
    private Seeds() {}

    /** @param place such as epoch, replica and chunk */
    public static long of(long seed, int... place) {
        long mixed = seed;
        for (int part : place) {
            mixed = new SplittableRandom(mixed + part).nextLong();
        }
        return mixed;
    }
}
