package io.unroll.chunk;

import java.util.SplittableRandom;

/** Derives the seed of each random choice from the seed of the run and the position of the choice. */
public final class Seeds {
    private Seeds() {}

    /**
     * Returns the seed for a position. The seed of the run is mixed before the position is added, so runs with
     * consecutive seeds do not share derived seeds.
     *
     * @param position for example epoch, replica and chunk
     * @return a seed other than 0, for which ND4J would use the current time
     */
    public static long of(long seed, int... position) {
        long mixed = new SplittableRandom(seed).nextLong();
        for (int index : position) {
            mixed = new SplittableRandom(mixed + index).nextLong();
        }
        return mixed == 0 ? 1 : mixed;
    }
}
