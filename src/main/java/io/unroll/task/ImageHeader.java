package io.unroll.task;

import io.unroll.text.MalformedRowException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * Metadata of JPEG and PNG files that the JDK's readers ignore. For PNG, also verifies that all chunks are present and
 * match their checksums.
 *
 * @param orientation Exif orientation (tag 0x0112): 1 is upright, 2 to 8 are rotated or mirrored
 * @param components number of color components of a JPEG; 0 for other formats
 */
record ImageHeader(int orientation, int components) {
    private static final ImageHeader PLAIN = new ImageHeader(1, 0);
    private static final String PNG = "\u0089PNG\r\n\u001A\n";
    private static final String EXIF = "Exif\0\0";
    private static final int START_OF_IMAGE = 0xFFD8;
    private static final int START_OF_SCAN = 0xDA;
    private static final int APP1 = 0xE1;
    private static final int ORIENTATION = 0x0112;
    private static final int MAX_ORIENTATION = 8;
    private static final int LITTLE_ENDIAN = 0x4949;

    /** @throws MalformedRowException if the file is a damaged PNG or ends too early */
    static ImageHeader of(byte[] file, String name) {
        ByteBuffer in = ByteBuffer.wrap(file);
        try {
            if (startsWith(in, PNG)) {
                return ofPng(in.position(PNG.length()), name);
            }
            return in.remaining() > 2 && in.getChar() == START_OF_IMAGE ? ofJpeg(in) : PLAIN;
        } catch (BufferUnderflowException
                | IllegalArgumentException
                | IndexOutOfBoundsException
                | ArithmeticException e) {
            throw new MalformedRowException(name + " is damaged: it ends too early");
        }
    }

    private static boolean startsWith(ByteBuffer in, String start) {
        byte[] bytes = start.getBytes(StandardCharsets.ISO_8859_1);
        return in.remaining() >= bytes.length && in.slice().limit(bytes.length).equals(ByteBuffer.wrap(bytes));
    }

    /** A PNG chunk consists of a length, a name of four letters, the data and a CRC-32. */
    private static ImageHeader ofPng(ByteBuffer in, String name) {
        int orientation = 1;
        String chunk = "";
        while (!chunk.equals("IEND")) {
            int length = in.getInt();
            ByteBuffer nameAndData = slice(in, Math.addExact(Integer.BYTES, Math.max(0, length)));
            CRC32 sum = new CRC32();
            sum.update(nameAndData.duplicate());
            chunk = StandardCharsets.ISO_8859_1
                    .decode(slice(nameAndData, Integer.BYTES))
                    .toString();
            if (length < 0 || in.getInt() != (int) sum.getValue()) {
                throw new MalformedRowException(name + " is damaged: a PNG chunk has a wrong checksum");
            }
            if (chunk.equals("eXIf")) {
                orientation = orientation(nameAndData.slice());
            }
        }
        return new ImageHeader(orientation, 0);
    }

    /** A JPEG segment consists of 0xFF, a marker, a length that includes itself, and the data; stops at the pixels. */
    private static ImageHeader ofJpeg(ByteBuffer in) {
        int orientation = 1;
        int components = 0;
        while (in.remaining() > Integer.BYTES) {
            int marker = 0xFF;
            while (marker == 0xFF) {
                marker = in.get() & 0xFF;
            }
            if (marker == START_OF_SCAN) {
                break;
            }
            ByteBuffer data = slice(in, Math.max(0, in.getChar() - 2));
            // C0 to CF are frame headers, except for three that are tables.
            if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
                components = data.get(5);
            } else if (marker == APP1 && startsWith(data, EXIF)) {
                orientation = orientation(data.position(EXIF.length()).slice());
            }
        }
        return new ImageHeader(orientation, components);
    }

    private static ByteBuffer slice(ByteBuffer in, int length) {
        ByteBuffer slice = in.slice().limit(length);
        in.position(in.position() + length);
        return slice;
    }

    /** @return the orientation in the first TIFF directory; 1, as in image viewers, if it cannot be read */
    private static int orientation(ByteBuffer tiff) {
        try {
            tiff.order(tiff.getChar(0) == LITTLE_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            int directory = tiff.getInt(4);
            int entries = tiff.getChar(directory);
            for (int entry = directory + 2; entries > 0; entries--, entry += 12) {
                if (tiff.getChar(entry) == ORIENTATION) {
                    int value = tiff.getChar(entry + 8);
                    return value >= 1 && value <= MAX_ORIENTATION ? value : 1;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            return 1;
        }
        return 1;
    }
}
