package io.unroll.chunk;

import java.util.SplittableRandom;

/** What decides a random choice: the run's seed and the choice's place, not who makes it. */
public final class Seeds {
    private Seeds() {}

    /**
     * Runs of neighbouring seeds share no choice: the seed is mixed before the place is added to it.
     *
     * @param place such as epoch, replica and chunk
     * @return never 0, which ND4J takes for the time of day
     */
    public static long of(long seed, int... place) {
        long mixed = new SplittableRandom(seed).nextLong();
        for (int part : place) {
            mixed = new SplittableRandom(mixed + part).nextLong();
        }
        return mixed == 0 ? 1 : mixed;
    }
}
