package io.unroll.storage;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;

/** Recognizes files that are not UTF-8 text by their first bytes. */
final class FileSignature {
    static final byte[] UTF8_BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private static final String CONVERT = ": convert it, or exclude it from corpus.path.";
    private static final String UNPACK = ": unpack it, or exclude it from corpus.path.";
    private static final int MAX_INSPECTED_BYTES = 1 << 12;
    private static final int MIN_CHARACTERS = 4;
    private static final int TAR_MAGIC_OFFSET = 257;

    private static final Map<String, String> KINDS = Map.ofEntries(
            Map.entry("\u001F\u008B", "compressed with gzip: give it a name that ends in .gz."),
            Map.entry("BZh91AY&SY", "compressed with bzip2: give it a name that ends in .bz2."),
            Map.entry("(\u00B5/\u00FD", "compressed with Zstandard" + UNPACK),
            Map.entry("\u00FD7zXZ", "compressed with xz" + UNPACK),
            Map.entry("\u0004\"M\u0018", "compressed with LZ4" + UNPACK),
            Map.entry("\u00FF\u0006\0\0sNaPpY", "compressed with Snappy" + UNPACK),
            Map.entry("PK\u0003\u0004", "a zip archive (as are .xlsx and .docx files): unpack or convert it."),
            Map.entry("7z\u00BC\u00AF", "a 7-Zip archive" + UNPACK),
            Map.entry("Rar!\u001A", "a RAR archive" + UNPACK),
            Map.entry("PAR1\u0015", "a Parquet file, which only tasks on tables can read."),
            Map.entry("ORC\n", "an ORC file" + CONVERT),
            Map.entry("Obj\u0001", "an Avro file" + CONVERT),
            Map.entry("ARROW1\0", "an Arrow file" + CONVERT),
            Map.entry("%PDF-", "a PDF file" + CONVERT),
            Map.entry("\u00D0\u00CF\u0011\u00E0", "an old Office file" + CONVERT),
            Map.entry("SQLite format 3\0", "an SQLite database" + CONVERT),
            Map.entry("\u0089HDF", "an HDF5 file" + CONVERT),
            Map.entry("\u0093NUMPY", "a NumPy array" + CONVERT),
            Map.entry("\u0089PNG", "an image (PNG)."),
            Map.entry("\u00FF\u00D8\u00FF", "an image (JPEG)."),
            Map.entry("\u007FELF", "an executable program."));

    private static final List<Map.Entry<String, String>> BYTE_ORDER_MARKS = List.of(
            Map.entry("\u00FF\u00FE\0\0", "UTF-32LE"),
            Map.entry("\0\0\u00FE\u00FF", "UTF-32BE"),
            Map.entry("\u00FF\u00FE", "UTF-16LE"),
            Map.entry("\u00FE\u00FF", "UTF-16BE"));

    private FileSignature() {}

    static boolean startsWithByteOrderMark(byte[] bytes, int length) {
        return length >= 3 && Arrays.equals(bytes, 0, 3, UTF8_BYTE_ORDER_MARK, 0, 3);
    }

    /** @return what the file is and how to fix it, to follow "FILE is "; null if it may be UTF-8 text */
    static String describe(byte[] bytes, int length) {
        String head = new String(bytes, 0, Math.min(length, MAX_INSPECTED_BYTES), StandardCharsets.ISO_8859_1);
        for (Map.Entry<String, String> kind : KINDS.entrySet()) {
            if (head.startsWith(kind.getKey())) {
                return kind.getValue();
            }
        }
        if (head.startsWith("ustar", TAR_MAGIC_OFFSET)) {
            return "a tar archive" + UNPACK;
        }
        String encoding = encoding(head);
        return encoding == null
                ? null
                : "text in " + encoding + ", not in UTF-8: convert it, for example with iconv -f " + encoding
                        + " -t UTF-8.";
    }

    private static String encoding(String head) {
        for (Map.Entry<String, String> mark : BYTE_ORDER_MARKS) {
            if (head.startsWith(mark.getKey())) {
                return mark.getValue();
            }
        }
        if (head.indexOf('\0') < 0) {
            return null;
        }
        return BYTE_ORDER_MARKS.stream()
                .map(Map.Entry::getValue)
                .filter(encoding -> isText(head, Charset.forName(encoding)))
                .findFirst()
                .orElse(null);
    }

    /** Text in UTF-16 or UTF-32 has many NUL bytes, but no NUL characters. */
    private static boolean isText(String head, Charset encoding) {
        byte[] bytes = head.getBytes(StandardCharsets.ISO_8859_1);
        int length = bytes.length / Integer.BYTES * Integer.BYTES;
        try {
            String text = encoding.newDecoder()
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
            return text.length() >= MIN_CHARACTERS
                    && text.codePoints()
                            .allMatch(c -> Character.isDefined(c) && (c >= ' ' || c == '\n' || c == '\r' || c == '\t'))
                    && StringUtils.countMatches(head, '\0') * 4 >= head.length();
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
