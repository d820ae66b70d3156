package io.unroll.chunk;

import io.unroll.chunk.SequenceIndex.Part;
import io.unroll.config.UnrollException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.io.function.IOConsumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads ranges of tokens or examples from a {@link SequenceStore}. Not thread-safe. */
public final class SequenceReader implements TokenSource {
    private static final int MAX_OPEN = 64;
    private static final int BUFFER = 1 << 16;

    private final Path folder;
    private final SequenceIndex index;
    private final FileSystem fs;
    private final Map<Path, FSDataInputStream> open = new LinkedHashMap<>(16, 0.75f, true);
    private byte[] bytes = new byte[0];

    SequenceReader(SequenceStore store, Configuration hadoop) throws IOException {
        this.folder = new Path(store.folder());
        this.index = store.index();
        this.fs = folder.getFileSystem(hadoop);
    }

    /** Reads tokens of a stream, with one positioned read of each part that has them. */
    @Override
    public void read(long from, int[] target, int offset, int count) throws IOException {
        long partStart = 0;
        int done = 0;
        for (Part part : index.parts()) {
            long tokens = part.targets().total();
            long first = from + done - partStart;
            int length = (int) Math.max(0, Math.min(count - done, tokens - first));
            if (length > 0) {
                readTokens(part, first, target, offset + done, length);
            }
            done += length;
            partStart += tokens;
        }
        if (done < count) {
            throw new IndexOutOfBoundsException("token " + (from + done) + " of " + partStart);
        }
    }

    private void readTokens(Part part, long from, int[] target, int offset, int count) throws IOException {
        SequenceType type = index.type().target();
        int length = count * type.bytes();
        bytes = bytes.length < length ? new byte[length] : bytes;
        read(part.name() + SequenceStore.VALUES, in -> in.readFully(from * type.bytes(), bytes, 0, length));
        type.decode(bytes, target, offset, count);
    }

    /** @return the sequences {@code [from, to)}, counted over all parts, as examples */
    public List<Example> examples(long from, long to) throws IOException {
        List<Example> examples = new ArrayList<>();
        long partStart = 0;
        for (Part part : index.parts()) {
            long first = Math.max(from - partStart, 0);
            long end = Math.min(to - partStart, part.sequences());
            if (first < end) {
                readExamples(part, first, (int) (end - first), examples);
            }
            partStart += part.sequences();
        }
        return examples;
    }

    private void readExamples(Part part, long from, int count, List<Example> examples) throws IOException {
        byte[] entryBytes = new byte[count * SequenceWriter.ENTRY_BYTES];
        read(part.name() + SequenceStore.ENTRIES, in -> in.readFully(from * SequenceWriter.ENTRY_BYTES, entryBytes));
        LongBuffer entries =
                ByteBuffer.wrap(entryBytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
        Example.Type type = index.type();
        read(part.name() + SequenceStore.VALUES, in -> {
            in.seek(entries.get(0));
            DataInputStream values = new DataInputStream(new BufferedInputStream(in, BUFFER));
            for (int i = 0; i < 3 * count; i += 3) {
                byte[] source = read(values, type.source(), entries.get(i + 1));
                byte[] target = read(values, type.target(), entries.get(i + 2));
                examples.add(new Example(
                        type.source().sequence(source),
                        type.target().decode(target),
                        type.weight(values.readNBytes(type.weightBytes()))));
            }
        });
    }

    private static byte[] read(DataInputStream in, SequenceType type, long count) throws IOException {
        byte[] values = new byte[Math.toIntExact(count * type.bytes())];
        in.readFully(values);
        return values;
    }

    /** @throws UnrollException if the file is damaged, although it passed its check */
    private void read(String name, IOConsumer<FSDataInputStream> read) throws IOException {
        Path file = new Path(folder, name);
        try {
            read.accept(stream(file));
        } catch (FileNotFoundException e) {
            throw failure(
                    file,
                    "is missing. Set corpus.prepared to a folder that every machine of the cluster can read; if it is,",
                    e);
        } catch (EOFException e) {
            throw failure(file, "is shorter than its index says:", e);
        } catch (ChecksumException e) {
            throw failure(file, "is damaged, " + e.getMessage() + ":", e);
        }
    }

    private static UnrollException failure(Path file, String problem, IOException cause) {
        return new UnrollException(
                file + " " + problem + " delete " + file.getParent()
                        + " and run again; this prepares the corpus again.",
                cause);
    }

    private FSDataInputStream stream(Path file) throws IOException {
        FSDataInputStream stream = open.get(file);
        if (stream == null) {
            if (open.size() >= MAX_OPEN) {
                open.remove(open.keySet().iterator().next()).close();
            }
            stream = fs.open(file);
            open.put(file, stream);
        }
        return stream;
    }

    @Override
    public void close() throws IOException {
        for (FSDataInputStream stream : open.values()) {
            stream.close();
        }
    }
}
