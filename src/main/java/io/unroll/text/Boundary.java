package io.unroll.text;

/** Positions at which text may be cut. Both ends of a file split are moved forward to the next such position. */
public enum Boundary {
    BYTE,
    CODE_POINT,
    LINE;

    /** @return whether text may be cut between two bytes; {@code next} is -1 at the end of the file */
    public boolean between(int previous, int next) {
        return switch (this) {
            case BYTE -> true;
            case CODE_POINT -> next < 0 || (next & 0xC0) != 0x80;
            case LINE -> next < 0 || previous == '\n';
        };
    }
}
