package io.unroll.text;

import io.unroll.config.UnrollException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.security.AccessControlException;

/**
 * The bytes of a slice, both ends moved forward to the next boundary:
 *
 * <pre>
 *   slice        |start ........... end|start ........... end|
 *   reads         [boundary(start) ... boundary(end))[boundary(start) ...
 * </pre>
 *
 * One slice's end is the next one's start, so slices read side by side lose no byte and read none twice, well-formed
 * or not.
 */
public final class SliceInput extends InputStream {
    private static final int BUFFER = 1 << 16;

    private final Slice slice;
    private final Slice.Boundary boundary;
    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int next;
    private int limit;
    private int previous = '\n';
    private long position;

    private SliceInput(Slice slice, Slice.Boundary boundary, InputStream in, long position) {
        this.slice = slice;
        this.boundary = boundary;
        this.in = in;
        this.position = position;
    }

    public static SliceInput open(Slice slice, Slice.Boundary boundary, Configuration hadoop) throws IOException {
        Path path = new Path(slice.file());
        FSDataInputStream file = null;
        try {
            file = path.getFileSystem(hadoop).open(path);
            if (slice.compressed()) {
                var codec = new CompressionCodecFactory(hadoop).getCodec(path);
                return new SliceInput(slice, boundary, codec.createInputStream(file), 0);
            }
            long from = Math.max(0, slice.start() - 1);
            file.seek(from);
            SliceInput input = new SliceInput(slice, boundary, file, from);
            if (slice.start() > 0) {
                input.take();
                input.skipToBoundary();
            }
            return input;
        } catch (IOException e) {
            IOUtils.closeStream(file);
            throw explained(e, slice);
        }
    }

    /** A failure that trying again will not mend becomes a sentence; others, such as a lost machine, stay. */
    private static IOException explained(IOException e, Slice slice) {
        if (slice.compressed()
                || e instanceof FileNotFoundException
                || e instanceof ChecksumException
                || e instanceof AccessControlException) {
            throw new UnrollException(
                    slice.file() + " cannot be read" + (slice.compressed() ? " as a compressed file: " : ": ")
                            + e.getMessage(),
                    e);
        }
        return e;
    }

    public String file() {
        return slice.file();
    }

    /** @return offset in the (uncompressed) file of the next byte */
    public long position() {
        return position;
    }

    private void skipToBoundary() throws IOException {
        while (!boundary.between(previous, peek())) {
            take();
        }
    }

    @Override
    public int read() throws IOException {
        return ended() ? -1 : take();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (ended()) {
            return -1;
        }
        if (!slice.compressed() && position >= slice.end()) {
            target[offset] = (byte) take();
            return 1;
        }
        long left = slice.compressed() ? Long.MAX_VALUE : slice.end() - position;
        int count = (int) Math.min(Math.min(length, limit - next), left);
        System.arraycopy(buffer, next, target, offset, count);
        next += count;
        position += count;
        previous = target[offset + count - 1] & 0xFF;
        return count;
    }

    private boolean ended() throws IOException {
        int peeked = peek();
        return peeked < 0 || (!slice.compressed() && position >= slice.end() && boundary.between(previous, peeked));
    }

    private int peek() throws IOException {
        while (next == limit) {
            limit = fill();
            next = 0;
            if (limit < 0) {
                limit = 0;
                return -1;
            }
        }
        return buffer[next] & 0xFF;
    }

    private int fill() throws IOException {
        try {
            return in.read(buffer, 0, BUFFER);
        } catch (IOException e) {
            throw explained(e, slice);
        }
    }

    private int take() throws IOException {
        previous = peek();
        if (previous >= 0) {
            next++;
            position++;
        }
        return previous;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
