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

/** Positioned reads from a folder of token files. Not safe for several threads. */
public final class TokenReader implements TokenSource {
    private static final int MOST_OPEN = 64;
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
                int now = (int) Math.min(count, partEnd - from);
                read(part, from - partStart, target, offset, now);
                from += now;
                offset += now;
                count -= now;
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
            throw PreparedFile.unreadable(new Path(folder, part.file()), e);
        }
        for (int i = 0; i < count; i++) {
            target[offset + i] = token(bytes, i * width, width);
        }
    }

    private FSDataInputStream stream(TokenIndex.Part part) throws IOException {
        FSDataInputStream stream = open.get(part.file());
        if (stream == null) {
            if (open.size() >= MOST_OPEN) {
                open.remove(open.keySet().iterator().next()).close();
            }
            stream = fs.open(new Path(folder, part.file()));
            open.put(part.file(), stream);
        }
        return stream;
    }

    /**
     * @param vocabulary number of tokens that there are
     * @return what is wrong with a file of the index; empty where nothing is
     */
    public static String problem(String folder, TokenIndex.Part part, int width, int vocabulary, Configuration hadoop)
            throws IOException {
        return PreparedFile.problem(folder, part.file(), part.checksum(), hadoop, (in, length) -> {
            if (length != part.tokens() * width) {
                throw new PreparedFile.DamagedException(
                        "it has " + length + " bytes, and its index says " + part.tokens() * width);
            }
            byte[] block = new byte[BLOCK];
            for (int read = in.readNBytes(block, 0, BLOCK); read > 0; read = in.readNBytes(block, 0, BLOCK)) {
                for (int i = 0; i + width <= read; i += width) {
                    int token = token(block, i, width);
                    if (token < 0 || token >= vocabulary) {
                        throw new PreparedFile.DamagedException(
                                "it holds token " + token + " of a vocabulary of " + vocabulary);
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
