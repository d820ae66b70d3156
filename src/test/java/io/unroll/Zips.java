package io.unroll;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Reads and writes zip files, including malicious ones. */
public final class Zips {
    private static final int BLOCK = 1 << 26;

    private Zips() {}

    public static Map<String, byte[]> entries(byte[] zip) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(zip))) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                entries.put(entry.getName(), in.readAllBytes());
            }
        }
        return entries;
    }

    public static byte[] zip(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                out.putNextEntry(new ZipEntry(entry.getKey()));
                out.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }

    /** @return the zip with an entry added or replaced */
    public static byte[] with(byte[] zip, String name, byte[] content) throws IOException {
        Map<String, byte[]> entries = entries(zip);
        entries.put(name, content);
        return zip(entries);
    }

    /** @return the zip with two entries of this name */
    public static byte[] twice(byte[] zip, String name) throws IOException {
        String other = "_" + name.substring(1);
        byte[] both = with(zip, other, entries(zip).get(name));
        String latin1 = new String(both, StandardCharsets.ISO_8859_1).replace(other, name);
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @return the start of a zip: an entry with {@code blocks} x 64 MB of zeros, compressed to 64 KB per block */
    public static byte[] bomb(String name, byte[] start, int blocks) throws IOException {
        byte[] entryName = name.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(ByteBuffer.allocate(30)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x04034b50)
                .putShort((short) 20)
                .putShort((short) 8)
                .putShort((short) ZipEntry.DEFLATED)
                .putShort(26, (short) entryName.length)
                .array());
        bytes.write(entryName);
        bytes.write(deflated(start));
        for (int i = 0; i < blocks; i++) {
            bytes.write(Zeros.DEFLATED);
        }
        return bytes.toByteArray();
    }

    private static final class Zeros {
        static final byte[] DEFLATED = deflated(new byte[BLOCK]);
    }

    private static byte[] deflated(byte[] content) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        deflater.setInput(content);
        byte[] deflated = new byte[content.length / 64 + 1024];
        int length = deflater.deflate(deflated, 0, deflated.length, Deflater.FULL_FLUSH);
        deflater.end();
        return java.util.Arrays.copyOf(deflated, length);
    }
}
