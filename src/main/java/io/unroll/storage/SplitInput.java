package io.unroll.storage;

import io.unroll.config.UnrollException;
import io.unroll.text.Boundary;
import io.unroll.text.TextInput;
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
 * Reads the bytes of a slice after moving both of its ends forward to the next boundary:
 *
 * <pre>
 *   slice        |start ........... end|start ........... end|
 *   reads         [boundary(start) ... boundary(end))[boundary(start) ...
 * </pre>
 *
 * The end of a slice is the start of the next one, so parallel tasks read every byte exactly once, even if the text is
 * malformed.
 */
public final class SplitInput extends TextInput {
    private static final int BUFFER = 1 << 16;

    private final FileSplit slice;
    private final Boundary boundary;
    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int next;
    private int limit;
    private int previous = '\n';
    private long position;

    private SplitInput(FileSplit slice, Boundary boundary, InputStream in, long position) {
        this.slice = slice;
        this.boundary = boundary;
        this.in = in;
        this.position = position;
    }

    /**
     * Opens a slice. A byte order mark at the start of the file is skipped.
     *
     * @param boundary {@code BYTE} accepts any file, the others only text
     * @throws UnrollException if the file is recognized as something other than text, or cannot be read
     */
    public static SplitInput open(FileSplit slice, Boundary boundary, Configuration hadoop) throws IOException {
        Path path = new Path(slice.file());
        FSDataInputStream file = null;
        try {
            file = CorpusFiles.open(path, hadoop);
            boolean atFileStart = slice.start() < FileSignature.UTF8_BYTE_ORDER_MARK.length;
            long from = atFileStart ? 0 : slice.start() - 1;
            InputStream in = file;
            if (slice.compressed()) {
                in = new CompressionCodecFactory(hadoop).getCodec(path).createInputStream(file);
            } else {
                file.seek(from);
            }
            SplitInput input = new SplitInput(slice, boundary, in, from);
            boolean skipMark = atFileStart && input.startsWithByteOrderMark();
            while (input.position < slice.start()) {
                input.take();
            }
            while (slice.start() > 0 && !boundary.between(input.previous, input.peek())) {
                input.take();
            }
            while (skipMark && input.position < FileSignature.UTF8_BYTE_ORDER_MARK.length && !input.atEnd()) {
                input.take();
            }
            return input;
        } catch (IOException | RuntimeException e) {
            IOUtils.closeStream(file);
            throw explain(e, slice);
        }
    }

    private boolean startsWithByteOrderMark() throws IOException {
        limit = in.readNBytes(buffer, 0, BUFFER);
        String description = boundary == Boundary.BYTE ? null : FileSignature.describe(buffer, limit);
        if (description != null) {
            throw new UnrollException(slice.file() + " is " + description);
        }
        return FileSignature.startsWithByteOrderMark(buffer, limit);
    }

    /** Explains an exception; for invalid input, codecs throw all kinds of exceptions. */
    private static IOException explain(Exception e, FileSplit slice) throws IOException {
        if (e instanceof UnrollException explained) {
            throw explained;
        }
        if (slice.compressed() && !(e instanceof ChecksumException)) {
            throw new UnrollException(
                    slice.file() + " cannot be read as a compressed file: " + ExceptionUtils.getMessage(e)
                            + ". Restore the file, or exclude it from corpus.path.",
                    e);
        }
        if (e instanceof RuntimeException unexpected) {
            throw unexpected;
        }
        return CorpusFiles.explain((IOException) e, slice.file());
    }

    @Override
    public String origin() {
        return slice.file();
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public int read() throws IOException {
        return atEnd() ? -1 : take();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (atEnd()) {
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

    private boolean atEnd() throws IOException {
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
            throw explain(e, slice);
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
