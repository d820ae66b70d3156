package io.unroll.model;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.apache.commons.io.IOUtils;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;

/**
 * The entries of a zip that Deeplearning4j's {@code ModelSerializer} has written, one after the other. Its own reader is
 * not safe with files of others: it deserializes Java objects and allocates whatever a file asks for.
 */
final class NetworkEntries {
    private static final int BLOCK = 1 << 16;
    private static final int MAX_HEADER_BYTES = 1 << 18;
    private static final int END_BYTES = 22;
    private static final int END_OF_DIRECTORY = 0x06054b50;
    private static final int ENTRIES_OF_DIRECTORY = 10;
    private static final int MAX_SHAPE = 2 * 32 + 4;
    private static final Set<String> MODES_WITH_INT_LENGTH = Set.of("DIRECT", "HEAP", "JAVACPP");

    private final Tail tail;
    private final ZipInputStream zip;
    private final Set<String> known;
    private final Set<String> seen = new HashSet<>();
    private String name;

    /** @param known names of the entries that there may be */
    NetworkEntries(InputStream in, Set<String> known) {
        this.tail = new Tail(in);
        this.zip = new ZipInputStream(tail);
        this.known = known;
    }

    /** @return the name of the next entry; null after the last one */
    String next() throws IOException {
        ZipEntry entry;
        try {
            entry = zip.getNextEntry();
        } catch (IllegalArgumentException e) {
            throw new ZipException("the name of an entry is not UTF-8");
        }
        if (entry == null) {
            checkDirectory();
            return null;
        }
        name = entry.getName();
        if (!known.contains(name)) {
            throw new ZipException(
                    "it has an entry \"" + name.replaceAll("\\p{Cntrl}", "?") + "\", which does not belong there");
        }
        if (!seen.add(name)) {
            throw new ZipException("it has two entries " + name);
        }
        return name;
    }

    /** The directory at the file's end is not used, but where it is missing, the file has been cut. */
    private void checkDirectory() throws IOException {
        IOUtils.consume(tail);
        ByteBuffer end = ByteBuffer.wrap(tail.last).order(ByteOrder.LITTLE_ENDIAN);
        if (end.getInt(0) != END_OF_DIRECTORY || end.getShort(ENTRIES_OF_DIRECTORY) != seen.size()) {
            throw new ZipException("it ends too early, or is no zip");
        }
    }

    /** Keeps what has been read last. */
    private static final class Tail extends FilterInputStream {
        private final byte[] last = new byte[END_BYTES];

        Tail(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read = super.read(bytes, offset, length);
            if (read > 0) {
                int kept = Math.max(0, END_BYTES - read);
                System.arraycopy(last, END_BYTES - kept, last, 0, kept);
                System.arraycopy(bytes, offset + read - (END_BYTES - kept), last, kept, END_BYTES - kept);
            }
            return read;
        }
    }

    void require(String required) throws IOException {
        if (!seen.contains(required)) {
            throw new ZipException("it has no " + required);
        }
    }

    /** @return the entire entry */
    byte[] bytes(int most) throws IOException {
        byte[] bytes = zip.readNBytes(most);
        end(zip);
        return bytes;
    }

    void skip(long most) throws IOException {
        IOUtils.skip(zip, most);
        end(zip);
    }

    /** @return the entry, which ends by {@link #end} */
    DataInputStream data() {
        return new DataInputStream(new BufferedInputStream(zip));
    }

    /** @return the entire entry: one vector of {@code Nd4j.write} */
    float[] floats(int count) throws IOException {
        DataInputStream in = vector(count);
        float[] values = new float[count];
        byte[] bytes = new byte[Math.min(BLOCK, count) * Float.BYTES];
        FloatBuffer floats = ByteBuffer.wrap(bytes).asFloatBuffer();
        for (int start = 0; start < count; start += BLOCK) {
            int length = Math.min(BLOCK, count - start);
            in.readFully(bytes, 0, length * Float.BYTES);
            floats.rewind().get(values, start, length);
        }
        for (float value : values) {
            checkFinite(Float.isFinite(value));
        }
        end(zip);
        return values;
    }

    /** Reads over the entire entry, which is one vector of {@code Nd4j.write}. */
    void skipFloats(long count) throws IOException {
        IOUtils.skipFully(vector(count), count * Float.BYTES);
        end(zip);
    }

    private DataInputStream vector(long count) throws IOException {
        DataInputStream in = new DataInputStream(zip);
        if (!"FLOAT".equals(readHeader(in, count, count))) {
            throw new ZipException(name + " does not hold float32 numbers");
        }
        return in;
    }

    /** @return the next array of {@code Nd4j.write} in the entry's {@link #data} */
    INDArray array(DataInputStream in, long least, long most) throws IOException {
        in.mark(MAX_HEADER_BYTES);
        String type = readHeader(in, least, most);
        if (!Set.of("HALF", "FLOAT", "DOUBLE").contains(type)) {
            throw new ZipException(name + " holds numbers of type " + type);
        }
        in.reset();
        INDArray array = Nd4j.read(in);
        checkFinite(!BooleanIndexing.or(array, Conditions.notFinite()));
        return array;
    }

    private void checkFinite(boolean finite) throws IOException {
        if (!finite) {
            throw new ZipException(name + " holds numbers that are infinite or not a number");
        }
    }

    /**
     * Reads what {@code Nd4j.write} writes before the numbers: of the shape, and then of the numbers, how they were
     * allocated, how many there are, and their type.
     *
     * @return the numbers' type
     */
    private String readHeader(DataInputStream in, long least, long most) throws IOException {
        long[] shape = new long[(int) readLength(in, 4, MAX_SHAPE)];
        boolean ints = in.readUTF().equals("INT");
        for (int i = 0; i < shape.length; i++) {
            shape[i] = ints ? in.readInt() : in.readLong();
        }
        long length = readLength(in, least, most);
        String type = in.readUTF();
        long product = 1;
        for (int i = 1; i <= shape[0] && i < shape.length; i++) {
            boolean fits = shape[i] >= 1 && shape[i] <= length;
            product = fits && product <= length ? product * shape[i] : -1;
        }
        if (shape[0] < 0 || 2 * shape[0] + 4 != shape.length || product != length) {
            throw new ZipException("the header of " + name + " is damaged");
        }
        return type;
    }

    private long readLength(DataInputStream in, long least, long most) throws IOException {
        String mode = in.readUTF();
        long length = MODES_WITH_INT_LENGTH.contains(mode) ? in.readInt() : in.readLong();
        if (length < least || length > most) {
            throw new ZipException(name + " holds " + length + " numbers, and " + (least == most ? "" : "at most ")
                    + most + " are expected");
        }
        return length;
    }

    /** An entry's checksum is compared where it has been read to its end. */
    void end(InputStream in) throws IOException {
        if (in.read() >= 0) {
            throw new ZipException(name + " is longer than it can be");
        }
    }
}
