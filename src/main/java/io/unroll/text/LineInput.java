package io.unroll.text;

import java.io.IOException;

/** Reads a text line by line: the end of a line is reported as the end of the input, until {@link #next}. */
public final class LineInput extends TextInput {
    private static final int NOT_READ = -2;

    private final TextInput in;
    private int peeked = NOT_READ;

    public LineInput(TextInput in) {
        this.in = in;
    }

    /**
     * Moves to the next line, if this one is at its end.
     *
     * @return whether there is a next line; the line end at the end of a text starts no line
     */
    public boolean next() throws IOException {
        if (peek() == '\n') {
            peeked = NOT_READ;
        }
        return peek() >= 0;
    }

    @Override
    public int read() throws IOException {
        int value = peek();
        if (value < 0 || value == '\n') {
            return -1;
        }
        peeked = NOT_READ;
        return value == '\r' && peek() == '\n' ? -1 : value;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        int count = 0;
        while (count < length) {
            int value = read();
            if (value < 0) {
                return count == 0 ? -1 : count;
            }
            target[offset + count++] = (byte) value;
        }
        return count;
    }

    private int peek() throws IOException {
        if (peeked == NOT_READ) {
            peeked = in.read();
        }
        return peeked;
    }

    @Override
    public String origin() {
        return in.origin();
    }

    @Override
    public long position() {
        return in.position() - (peeked >= 0 ? 1 : 0);
    }
}
