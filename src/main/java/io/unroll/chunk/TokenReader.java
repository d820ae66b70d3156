package io.unroll.chunk;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads ranges of tokens from the token files in a folder. Not thread-safe. */
public final class TokenReader implements TokenSource {
    private static final int MAX_OPEN = 64;
    private static final int BLOCK = 1 << 16;

    private final Path folder;
    private final TokenIndex index;
    private final FileSystem fs;
    private final Map<String, FSDataInputStream> open = new LinkedHashMap<>(16, 0.75f, true);
    private byte[] bytes = new byte[0];

    public TokenReader(String folder, TokenIndex index, Configuration hadoop) throws IOException {
        this.folder = new Path(folder);
        this.index = index;
        this.fs = this.folder.getFileSystem(hadoop);
    }

    @Override
    public void read(long from, int[] target, int offset, int count) throws IOException {
        long partStart = 0;
        for (TokenIndex.Part part : index.parts()) {
            long partEnd = partStart + part.tokens();
            while (count > 0 && from >= partStart && from < partEnd) {
                int length = (int) Math.min(count, partEnd - from);
                read(part, from - partStart, target, offset, length);
                from += length;
                offset += length;
                count -= length;
            }
            partStart = partEnd;
        }
        if (count > 0) {
            throw new IndexOutOfBoundsException("token " + from + " of " + index.tokens());
        }
    }

    private void read(TokenIndex.Part part, long from, int[] target, int offset, int count) throws IOException {
        int width = index.width();
        if (bytes.length < count * width) {
            bytes = new byte[count * width];
        }
        try {
            stream(part).readFully(from * width, bytes, 0, count * width);
        } catch (EOFException | FileNotFoundException | ChecksumException e) {
            throw PreparedFileCheck.readFailure(new Path(folder, part.file()), e);
        }
        for (int i = 0; i < count; i++) {
            target[offset + i] = token(bytes, i * width, width);
        }
    }

    private FSDataInputStream stream(TokenIndex.Part part) throws IOException {
        FSDataInputStream stream = open.get(part.file());
        if (stream == null) {
            if (open.size() >= MAX_OPEN) {
                open.remove(open.keySet().iterator().next()).close();
            }
            stream = fs.open(new Path(folder, part.file()));
            open.put(part.file(), stream);
        }
        return stream;
    }

    /**
     * Checks a file of the index.
     *
     * @param vocabulary size of the vocabulary
     * @return a description of what is wrong with the file; empty if it is valid
     */
    public static String problem(String folder, TokenIndex.Part part, int width, int vocabulary, Configuration hadoop)
            throws IOException {
        return PreparedFileCheck.problem(folder, part.file(), part.checksum(), hadoop, (in, length) -> {
            if (length != part.tokens() * width) {
                throw new PreparedFileCheck.InvalidContentException(
                        "it has " + length + " bytes, but its index says " + part.tokens() * width);
            }
            byte[] block = new byte[BLOCK];
            for (int read = in.readNBytes(block, 0, BLOCK); read > 0; read = in.readNBytes(block, 0, BLOCK)) {
                for (int i = 0; i + width <= read; i += width) {
                    int token = token(block, i, width);
                    if (token < 0 || token >= vocabulary) {
                        throw new PreparedFileCheck.InvalidContentException(
                                "it contains token " + token + ", but the vocabulary has " + vocabulary + " tokens");
                    }
                }
            }
        });
    }

    private static int token(byte[] bytes, int start, int width) {
        int token = 0;
        for (int b = width - 1; b >= 0; b--) {
            token = (token << 8) | (bytes[start + b] & 0xFF);
        }
        return token;
    }

    @Override
    public void close() throws IOException {
        for (FSDataInputStream stream : open.values()) {
            stream.close();
        }
    }
}
