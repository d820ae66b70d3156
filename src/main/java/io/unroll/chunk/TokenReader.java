package io.unroll.chunk;

import io.unroll.config.UnrollException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Positioned reads from a folder of token files. Not safe for several threads. */
public final class TokenReader implements TokenSource {
    private static final int MOST_OPEN = 64;

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
        } catch (EOFException e) {
            throw new UnrollException(
                    new Path(folder, part.file()) + " is shorter than its index says: delete " + folder
                            + " and run again, to prepare the corpus anew.",
                    e);
        }
        for (int i = 0; i < count; i++) {
            int token = 0;
            for (int b = width - 1; b >= 0; b--) {
                token = (token << 8) | (bytes[i * width + b] & 0xFF);
            }
            target[offset + i] = token;
        }
    }

    private FSDataInputStream stream(TokenIndex.Part part) throws IOException {
        FSDataInputStream stream = open.get(part.file());
        if (stream == null) {
            if (open.size() >= MOST_OPEN) {
                open.remove(open.keySet().iterator().next()).close();
            }
            stream = open(new Path(folder, part.file()));
            open.put(part.file(), stream);
        }
        return stream;
    }

    private FSDataInputStream open(Path file) throws IOException {
        try {
            return fs.open(file);
        } catch (FileNotFoundException e) {
            throw new UnrollException(
                    file + " is missing, or corpus.prepared is a folder that not every machine of the cluster shares: "
                            + "delete " + folder + " and run again, with a shared folder.",
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        for (FSDataInputStream stream : open.values()) {
            stream.close();
        }
    }
}
