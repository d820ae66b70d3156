package io.unroll.chunk;

import java.io.Serializable;
import java.util.Arrays;

/** The source of an example. */
public sealed interface Sequence extends Serializable {
    Sequence NONE = new None();

    int length();

    /** @return the values as in {@link Batch#sources}: tokens, pixels from 0 to 255, or the bits of floats */
    int[] toInts();

    record None() implements Sequence {
        @Override
        public int length() {
            return 0;
        }

        @Override
        public int[] toInts() {
            return new int[0];
        }
    }

    record Tokens(int[] tokens) implements Sequence {
        @Override
        public int length() {
            return tokens.length;
        }

        @Override
        public int[] toInts() {
            return tokens;
        }
    }

    /** @param values unsigned bytes, {@code [3, side, side]}; red, green, blue */
    record Pixels(byte[] values) implements Sequence {
        /** @param values from 0 to 255 */
        public static Pixels of(int[] values) {
            byte[] bytes = new byte[values.length];
            SequenceType.PIXELS.encode(values, values.length, bytes);
            return new Pixels(bytes);
        }

        @Override
        public int length() {
            return values.length;
        }

        @Override
        public int[] toInts() {
            return SequenceType.PIXELS.decode(values);
        }
    }

    record Features(float[] values) implements Sequence {
        @Override
        public int length() {
            return values.length;
        }

        @Override
        public int[] toInts() {
            int[] bits = new int[values.length];
            Arrays.setAll(bits, i -> Float.floatToIntBits(values[i]));
            return bits;
        }
    }
}
