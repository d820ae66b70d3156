package io.unroll.text;

import io.unroll.config.Settings.Malformed;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Decodes UTF-8 strictly, in pieces that do not split surrogate pairs. */
final class Utf8Text {
    /** Maximum number of characters in a piece. */
    static final int BUFFER = 1 << 16;

    private final TextInput in;
    private final Malformed malformed;
    private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER).flip();
    private final CharBuffer chars = CharBuffer.allocate(BUFFER);
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);

    Utf8Text(TextInput in, Malformed malformed) {
        this.in = in;
        this.malformed = malformed;
    }

    interface Visitor {
        void text(char[] chars, int length);
    }

    /** @throws UnrollException with the position of the first byte that is not text, unless such bytes are replaced */
    void forEach(Visitor visitor) throws IOException {
        boolean more = true;
        while (more) {
            more = fill();
            CoderResult result;
            do {
                int from = bytes.position();
                result = decoder.decode(bytes, chars, !more);
                checkNul(from);
                if (result.isError()) {
                    replace(result.length());
                }
                visitor.text(chars.array(), chars.position());
                chars.clear();
            } while (!result.isUnderflow());
        }
    }

    private boolean fill() throws IOException {
        bytes.compact();
        int read = in.read(bytes.array(), bytes.position(), bytes.remaining());
        if (read > 0) {
            bytes.position(bytes.position() + read);
        }
        bytes.flip();
        return read >= 0;
    }

    private void replace(int length) {
        int at = bytes.position();
        if (malformed == Malformed.ERROR) {
            throw invalidByte(at, String.format("0x%02X is not valid UTF-8", bytes.get(at)));
        }
        bytes.position(at + length);
        chars.put('\uFFFD');
    }

    private void checkNul(int from) {
        byte[] array = bytes.array();
        for (int i = from; i < bytes.position(); i++) {
            if (array[i] == 0) {
                if (malformed == Malformed.ERROR) {
                    throw invalidByte(i, "a NUL byte: this looks like a binary file");
                }
                replaceNuls();
                return;
            }
        }
    }

    private void replaceNuls() {
        char[] array = chars.array();
        for (int i = 0; i < chars.position(); i++) {
            array[i] = array[i] == 0 ? '\uFFFD' : array[i];
        }
    }

    private UnrollException invalidByte(int index, String reason) {
        long offset = in.position() - bytes.limit() + index;
        return new UnrollException(
                in.origin() + ": byte " + offset + " is not text (" + reason + "). Fix or exclude the "
                        + "file, set corpus.malformed = replace, or train with corpus.tokenizer = byte, which reads any file.");
    }
}
