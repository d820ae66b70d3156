package io.unroll.text;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.io.InputStream;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

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

    /**
     * A byte order mark at the file's start is not read.
     *
     * @param boundary {@code BYTE} reads any file, the others only text
     * @throws UnrollException if the file is known to be something else, or cannot be read
     */
    public static SliceInput open(Slice slice, Slice.Boundary boundary, Configuration hadoop) throws IOException {
        Path path = new Path(slice.file());
        FSDataInputStream file = null;
        try {
            file = CorpusFiles.open(path, hadoop);
            boolean head = slice.start() < Signature.BYTE_ORDER_MARK.length;
            long from = head ? 0 : slice.start() - 1;
            InputStream in = file;
            if (slice.compressed()) {
                in = new CompressionCodecFactory(hadoop).getCodec(path).createInputStream(file);
            } else {
                file.seek(from);
            }
            SliceInput input = new SliceInput(slice, boundary, in, from);
            boolean marked = head && input.startsWithMark();
            while (input.position < slice.start()) {
                input.take();
            }
            if (slice.start() > 0) {
                input.skipToBoundary();
            }
            while (marked && input.position < Signature.BYTE_ORDER_MARK.length && !input.ended()) {
                input.take();
            }
            return input;
        } catch (IOException | RuntimeException e) {
            IOUtils.closeStream(file);
            throw explained(e, slice);
        }
    }

    private boolean startsWithMark() throws IOException {
        limit = in.readNBytes(buffer, 0, BUFFER);
        String other = boundary == Slice.Boundary.BYTE ? null : Signature.of(buffer, limit);
        if (other != null) {
            throw new UnrollException(slice.file() + " is " + other);
        }
        return Signature.startsWithMark(buffer, limit);
    }

    /** Of bytes that nobody has foreseen, codecs throw anything. */
    private static IOException explained(Exception e, Slice slice) throws IOException {
        if (e instanceof UnrollException known) {
            throw known;
        }
        if (slice.compressed() && !(e instanceof ChecksumException)) {
            throw new UnrollException(
                    slice.file() + " cannot be read as a compressed file: " + ExceptionUtils.getMessage(e)
                            + ". Restore the file, or leave it out.",
                    e);
        }
        if (e instanceof RuntimeException other) {
            throw other;
        }
        return CorpusFiles.explained((IOException) e, slice.file());
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
        } catch (IOException | RuntimeException e) {
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
