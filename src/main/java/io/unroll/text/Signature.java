package io.unroll.text;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.StringUtils;

/** What a file's first bytes say that it is, where it is no UTF-8 text. */
final class Signature {
    static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private static final String CONVERT = ": convert it, or leave it out.";
    private static final String UNPACK = ": unpack it, or leave it out.";
    private static final int MAX_LOOKED_AT = 1 << 12;
    private static final int MIN_CHARACTERS = 4;
    private static final int TAR = 257;

    private static final Map<String, String> KINDS = Map.ofEntries(
            Map.entry("\u001F\u008B", "compressed by gzip: give it a name that ends in .gz."),
            Map.entry("BZh91AY&SY", "compressed by bzip2: give it a name that ends in .bz2."),
            Map.entry("(\u00B5/\u00FD", "compressed by Zstandard" + UNPACK),
            Map.entry("\u00FD7zXZ", "compressed by xz" + UNPACK),
            Map.entry("\u0004\"M\u0018", "compressed by LZ4" + UNPACK),
            Map.entry("\u00FF\u0006\0\0sNaPpY", "compressed by Snappy" + UNPACK),
            Map.entry("PK\u0003\u0004", "a zip archive, as .xlsx and .docx are, too: unpack or convert it."),
            Map.entry("7z\u00BC\u00AF", "a 7-Zip archive" + UNPACK),
            Map.entry("Rar!\u001A", "a RAR archive" + UNPACK),
            Map.entry("PAR1\u0015", "a Parquet file: a table is read by the tasks that learn from rows."),
            Map.entry("ORC\n", "an ORC file" + CONVERT),
            Map.entry("Obj\u0001", "an Avro file" + CONVERT),
            Map.entry("ARROW1\0", "an Arrow file" + CONVERT),
            Map.entry("%PDF-", "a PDF file" + CONVERT),
            Map.entry("\u00D0\u00CF\u0011\u00E0", "an old Office file" + CONVERT),
            Map.entry("SQLite format 3\0", "an SQLite database" + CONVERT),
            Map.entry("\u0089HDF", "an HDF5 file" + CONVERT),
            Map.entry("\u0093NUMPY", "a NumPy array" + CONVERT),
            Map.entry("\u0089PNG", "a picture (PNG)."),
            Map.entry("\u00FF\u00D8\u00FF", "a picture (JPEG)."),
            Map.entry("\u007FELF", "a program."));

    private static final List<Map.Entry<String, String>> MARKS = List.of(
            Map.entry("\u00FF\u00FE\0\0", "UTF-32LE"),
            Map.entry("\0\0\u00FE\u00FF", "UTF-32BE"),
            Map.entry("\u00FF\u00FE", "UTF-16LE"),
            Map.entry("\u00FE\u00FF", "UTF-16BE"));

    private Signature() {}

    static boolean startsWithMark(byte[] bytes, int length) {
        return length >= BYTE_ORDER_MARK.length
                && ByteBuffer.wrap(bytes, 0, 3).equals(ByteBuffer.wrap(BYTE_ORDER_MARK));
    }

    /** @return what the file is, and what helps; null where nothing is known against it */
    static String of(byte[] bytes, int length) {
        String head = new String(bytes, 0, Math.min(length, MAX_LOOKED_AT), StandardCharsets.ISO_8859_1);
        for (Map.Entry<String, String> kind : KINDS.entrySet()) {
            if (head.startsWith(kind.getKey())) {
                return kind.getValue();
            }
        }
        if (head.startsWith("ustar", TAR)) {
            return "a tar archive" + UNPACK;
        }
        String encoding = encoding(head);
        return encoding == null
                ? null
                : "text in " + encoding + ", and not in UTF-8: convert it, as by iconv -f " + encoding + " -t UTF-8.";
    }

    private static String encoding(String head) {
        for (Map.Entry<String, String> mark : MARKS) {
            if (head.startsWith(mark.getKey())) {
                return mark.getValue();
            }
        }
        if (head.indexOf('\0') < 0) {
            return null;
        }
        return MARKS.stream()
                .map(Map.Entry::getValue)
                .filter(encoding -> isText(head, Charset.forName(encoding)))
                .findFirst()
                .orElse(null);
    }

    /** In text of two or four bytes a character, NUL bytes are everywhere, and NUL characters nowhere. */
    private static boolean isText(String head, Charset encoding) {
        byte[] bytes = head.getBytes(StandardCharsets.ISO_8859_1);
        int whole = bytes.length / Integer.BYTES * Integer.BYTES;
        try {
            String text = encoding.newDecoder()
                    .decode(ByteBuffer.wrap(bytes, 0, whole))
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
