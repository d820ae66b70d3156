package io.unroll.text;

import java.io.Serializable;

/**
 * A byte range of a corpus file; its ends are not yet moved to the next {@link Boundary}.
 *
 * @param compressed whether the file is compressed; the range is then the entire file
 */
public record Slice(String file, long start, long end, boolean compressed) implements Serializable {
    public long length() {
        return end - start;
    }

    /** Positions at which text may be cut. Both ends of a slice are moved forward to the next such position. */
    public enum Boundary {
        BYTE,
        CODE_POINT,
        LINE;

        /** @return whether text may be cut between two bytes; {@code next} is -1 at the end of the file */
        boolean between(int previous, int next) {
            return switch (this) {
                case BYTE -> true;
                case CODE_POINT -> next < 0 || (next & 0xC0) != 0x80;
                case LINE -> next < 0 || previous == '\n';
            };
        }
    }
}
