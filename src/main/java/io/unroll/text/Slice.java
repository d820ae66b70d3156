package io.unroll.text;

import java.io.Serializable;

/**
 * A byte range of one corpus file, before it is moved to the next {@link Boundary}.
 *
 * @param compressed the range is the whole of a compressed file, and is read through its codec
 */
public record Slice(String file, long start, long end, boolean compressed) implements Serializable {
    public long length() {
        return end - start;
    }

    /** Where text may be cut: both ends of a slice move forward to the nearest such place. */
    public enum Boundary {
        BYTE,
        CODE_POINT,
        LINE;

        /** @return whether text may be cut between these two bytes, the next one being -1 at the end of the file */
        boolean between(int previous, int next) {
            return switch (this) {
                case BYTE -> true;
                case CODE_POINT -> next < 0 || (next & 0xC0) != 0x80;
                case LINE -> next < 0 || previous == '\n';
            };
        }
    }
}
