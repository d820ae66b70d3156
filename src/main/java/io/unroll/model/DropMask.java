package io.unroll.model;

import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Dropout: sets random numbers to 0 and scales up the others, so that the expected sum stays the same (Srivastava et
 * al. 2014). The mask is not stored; the backward pass draws it again from the same seed. ND4J's dropout, which stores
 * it, took about three times as long.
 */
final class DropMask {
    private static final int BLOCK = 4096;
    /** How many numbers share one draw of 64 bits. */
    private static final int PER_DRAW = Long.SIZE / Short.SIZE;

    /** How many values the 16 random bits of a number can have. */
    private static final int VALUES = 1 << Short.SIZE;

    /** How many of these values drop the number. */
    private final int dropped;
    /** The factors of kept and of dropped numbers. */
    private final float[] factors;

    private final float[] block = new float[BLOCK];
    private long seed;

    /** @param probability of dropping a number, rounded to a multiple of 1/65536 */
    DropMask(double probability) {
        this.dropped = (int) Math.min(VALUES - 1, Math.round(probability * VALUES));
        this.factors = new float[] {(float) VALUES / (VALUES - dropped), 0};
    }

    /** Draws a new mask. */
    void draw() {
        seed = Nd4j.getRandom().nextLong();
    }

    /** Applies the mask, which is the same for every array until the next {@link #draw}. */
    void apply(FloatPointer from, FloatPointer to, long size) {
        SplittableRandom random = new SplittableRandom(seed);
        for (long start = 0; start < size; start += BLOCK) {
            int length = (int) Math.min(BLOCK, size - start);
            from.getPointer(start).get(block, 0, length);
            drop(random, length);
            to.getPointer(start).put(block, 0, length);
        }
    }

    /** Has no branch, because processors could not predict it. */
    private void drop(SplittableRandom random, int length) {
        for (int i = 0; i < length; i += PER_DRAW) {
            long bits = random.nextLong();
            for (int j = 0; j < PER_DRAW; j++) {
                int drawn = (int) (bits >>> (j * Short.SIZE)) & (VALUES - 1);
                block[i + j] *= factors[(drawn - dropped) >>> (Integer.SIZE - 1)];
            }
        }
    }
}
