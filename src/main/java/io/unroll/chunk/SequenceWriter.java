package io.unroll.chunk;

import io.unroll.chunk.SequenceIndex.Lengths;
import io.unroll.storage.PreparedFileOutput;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.IntConsumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Writes a part of a {@link SequenceStore}. As a consumer of tokens, it appends them to the target of a sequence. */
public final class SequenceWriter implements IntConsumer, Closeable {
    static final int ENTRY_BYTES = 3 * Long.BYTES;
    private static final int BLOCK = 1 << 14;

    private final String name;
    private final SequenceIndex.Section section;
    private final Example.Type type;
    private final CRC32C checksum = new CRC32C();
    private final CRC32C indexChecksum = new CRC32C();
    private final OutputStream values;
    private final OutputStream entries;
    private final LengthCounter sources = new LengthCounter();
    private final LengthCounter targets = new LengthCounter();
    private final int[] tokens = new int[BLOCK];
    private final byte[] bytes = new byte[BLOCK * Integer.BYTES];
    private int used;
    private long position;
    private long start;
    private double weight;

    /**
     * Creates the files. Each attempt of a Spark task writes different files; the index lists the files that are used.
     *
     * @param number of the part
     */
    public SequenceWriter(
            String folder, SequenceIndex.Section section, int number, Example.Type type, Configuration hadoop)
            throws IOException {
        this.name = String.format(
                Locale.ROOT, "%s-%05d-%s", section.name().toLowerCase(Locale.ROOT), number, UUID.randomUUID());
        this.section = section;
        this.type = type;
        this.values = create(new Path(folder, name + SequenceStore.VALUES), checksum, hadoop);
        this.entries = create(new Path(folder, name + SequenceStore.ENTRIES), indexChecksum, hadoop);
    }

    private static OutputStream create(Path file, CRC32C checksum, Configuration hadoop) throws IOException {
        return new BufferedOutputStream(new CheckedOutputStream(PreparedFileOutput.create(file, hadoop), checksum));
    }

    private static final class LengthCounter {
        private final TreeMap<Long, Long> histogram = new TreeMap<>();
        private long total;
        private long longest;

        void add(long length) {
            long bound = length <= 1 ? length : Long.highestOneBit(length - 1) << 1;
            histogram.merge(bound, 1L, Long::sum);
            total += length;
            longest = Math.max(longest, length);
        }

        Lengths lengths() {
            return new Lengths(total, longest, histogram);
        }
    }

    /** @param example what {@link Example#toBytes} returned */
    public void write(byte[] example) throws IOException {
        write(example, Integer.BYTES, example.length - Integer.BYTES);
        if (type.weighted()) {
            weight += Example.of(example, type).weight();
        }
        int sourceBytes = ByteBuffer.wrap(example).getInt();
        endSequence(sourceBytes == 0 ? 0 : sourceBytes / type.source().bytes());
    }

    @Override
    public void accept(int token) {
        if (used == BLOCK) {
            try {
                flushTokens();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        tokens[used++] = token;
    }

    /** Ends a sequence that has no source and consists of the tokens since the previous one. */
    public void endSequence() throws IOException {
        flushTokens();
        endSequence(0);
    }

    private void endSequence(int source) throws IOException {
        long target = (position - start - (long) source * type.source().bytes() - type.weightBytes())
                / type.target().bytes();
        ByteBuffer entry = ByteBuffer.allocate(ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        entries.write(entry.putLong(start).putLong(source).putLong(target).array());
        sources.add(source);
        targets.add(target);
        start = position;
    }

    private void flushTokens() throws IOException {
        type.target().encode(tokens, used, bytes);
        write(bytes, 0, used * type.target().bytes());
        used = 0;
    }

    private void write(byte[] stored, int from, int count) throws IOException {
        values.write(stored, from, count);
        position += count;
    }

    /** @return the description of the sequences written so far, for the index */
    public SequenceIndex.Part part() throws IOException {
        values.flush();
        entries.flush();
        return new SequenceIndex.Part(
                name,
                section,
                sources.lengths(),
                targets.lengths(),
                checksum.getValue(),
                indexChecksum.getValue(),
                weight);
    }

    @Override
    public void close() throws IOException {
        try (values;
                entries) {
            flushTokens();
        }
    }
}
