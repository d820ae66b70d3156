package io.unroll.model;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
 * Reads the entries of a zip of Deeplearning4j's {@code ModelSerializer}, one after the other. Deeplearning4j's own
 * reader is not safe for untrusted files: it deserializes Java objects and allocates as much memory as a file asks for.
 */
final class NetworkEntries {
    private static final int MAX_HEADER_BYTES = 1 << 18;
    /** Size of the record at the end of a zip, its signature, and the offset of the number of entries in it. */
    private static final int END_BYTES = 22;

    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_ENTRY_COUNT = 10;
    private static final int MAX_SHAPE = 2 * 32 + 4;
    private static final Set<String> MODES_WITH_INT_LENGTH = Set.of("DIRECT", "HEAP", "JAVACPP");

    private final Tail tail;
    private final ZipInputStream zip;
    private final Set<String> allowed;
    private final Set<String> seen = new HashSet<>();
    private String name;

    /** @param allowed names of the entries that the zip may contain */
    NetworkEntries(InputStream in, Set<String> allowed) {
        this.tail = new Tail(in);
        this.zip = new ZipInputStream(tail);
        this.allowed = allowed;
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
        if (!allowed.contains(name)) {
            throw new ZipException("it has an unexpected entry \"" + name.replaceAll("\\p{Cntrl}", "?") + "\"");
        }
        if (!seen.add(name)) {
            throw new ZipException("it has two entries " + name);
        }
        return name;
    }

    /** Checks the end of the zip's directory: if it is missing, the file is truncated. */
    private void checkDirectory() throws IOException {
        IOUtils.consume(tail);
        ByteBuffer end = ByteBuffer.wrap(tail.last).order(ByteOrder.LITTLE_ENDIAN);
        if (end.getInt(0) != END_SIGNATURE || end.getShort(END_ENTRY_COUNT) != seen.size()) {
            throw new ZipException("it ends too early, or is not a zip file");
        }
    }

    /** Keeps the last bytes that were read. */
    private static final class Tail extends FilterInputStream {
        private final byte[] last = new byte[END_BYTES];

        Tail(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] single = new byte[1];
            return read(single, 0, 1) < 0 ? -1 : single[0] & 0xFF;
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

    /** @return the entire entry, of at most {@code max} bytes */
    byte[] bytes(int max) throws IOException {
        byte[] bytes = zip.readNBytes(max);
        checkEnd(zip);
        return bytes;
    }

    /** Skips the rest of the entry, of at most {@code max} bytes. */
    void skip(long max) throws IOException {
        IOUtils.skip(zip, max);
        checkEnd(zip);
    }

    /** @return the entry's content; the reader must end with {@link #checkEnd} */
    DataInputStream data() {
        return new DataInputStream(new BufferedInputStream(zip));
    }

    /** @return the numbers of the entry, which must be a float32 vector written by {@code Nd4j.write} */
    float[] floats(int count) throws IOException {
        DataInputStream in = vector(count);
        float[] values = new float[count];
        FloatArray.read(values, in);
        for (float value : values) {
            checkFinite(Float.isFinite(value));
        }
        checkEnd(zip);
        return values;
    }

    /** Skips the entry, which must be a float32 vector written by {@code Nd4j.write}. */
    void skipFloats(long count) throws IOException {
        IOUtils.skipFully(vector(count), count * Float.BYTES);
        checkEnd(zip);
    }

    private DataInputStream vector(long count) throws IOException {
        DataInputStream in = new DataInputStream(zip);
        if (!"FLOAT".equals(readHeader(in, count, count))) {
            throw new ZipException(name + " does not contain float32 numbers");
        }
        return in;
    }

    /** @return the next array of {@code Nd4j.write} in {@link #data}, with {@code min} to {@code max} numbers */
    INDArray array(DataInputStream in, long min, long max) throws IOException {
        in.mark(MAX_HEADER_BYTES);
        String type = readHeader(in, min, max);
        if (!Set.of("HALF", "FLOAT", "DOUBLE").contains(type)) {
            throw new ZipException(name + " contains numbers of type " + type);
        }
        in.reset();
        INDArray array = Nd4j.read(in);
        checkFinite(!BooleanIndexing.or(array, Conditions.notFinite()));
        return array;
    }

    private void checkFinite(boolean finite) throws IOException {
        if (!finite) {
            throw new ZipException(name + " contains numbers that are infinite or not a number");
        }
    }

    /**
     * Reads what {@code Nd4j.write} writes before the numbers: the shape, which is an array itself, and for each of the
     * two arrays its allocation mode, length and data type.
     *
     * @return the data type of the numbers
     */
    private String readHeader(DataInputStream in, long min, long max) throws IOException {
        long[] shape = new long[(int) readLength(in, 4, MAX_SHAPE)];
        boolean ints = in.readUTF().equals("INT");
        for (int i = 0; i < shape.length; i++) {
            shape[i] = ints ? in.readInt() : in.readLong();
        }
        long length = readLength(in, min, max);
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

    private long readLength(DataInputStream in, long min, long max) throws IOException {
        String mode = in.readUTF();
        long length = MODES_WITH_INT_LENGTH.contains(mode) ? in.readInt() : in.readLong();
        if (length < min || length > max) {
            throw new ZipException(
                    name + " contains " + length + " numbers instead of " + (min == max ? "" : "at most ") + max);
        }
        return length;
    }

    /** Checks that the entry has no more bytes; reading to its end also checks the checksum. */
    void checkEnd(InputStream in) throws IOException {
        if (in.read() >= 0) {
            throw new ZipException(name + " is longer than expected");
        }
    }
}
