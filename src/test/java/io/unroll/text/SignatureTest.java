package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignatureTest {
    private static final String TEXT = "Es sa\u00DF ein Mann im Caf\u00E9,\r\nohne Ende.\n".repeat(20);

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
    void encodingsAreNamedWithAMarkAndWithout(String encoding) {
        for (String mark : List.of("\uFEFF", "")) {
            byte[] bytes = (mark + TEXT).getBytes(Charset.forName(encoding));
            String said = Signature.of(bytes, bytes.length);
            assertEquals(
                    "text in " + encoding + ", and not in UTF-8: convert it, as by iconv -f " + encoding + " -t UTF-8.",
                    said);
        }
    }

    @Test
    void textIsText() {
        for (String text :
                List.of("", "a", TEXT, "\uFEFF" + TEXT, "PARIS", "BZh", "GIF and PNG", "text,label\na\0b,x\n")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertNull(Signature.of(bytes, bytes.length), text);
        }
        byte[] latin = TEXT.getBytes(StandardCharsets.ISO_8859_1);
        assertNull(Signature.of(latin, latin.length));
    }

    @Test
    void compressedFilesAndArchivesAreNamed() {
        assertTrue(said("\u001F\u008B\b\0").startsWith("compressed by gzip: give it a name that ends in .gz"));
        assertTrue(said("BZh91AY&SY..").startsWith("compressed by bzip2"));
        assertTrue(said("(\u00B5/\u00FD....").startsWith("compressed by Zstandard: unpack it"));
        assertTrue(said("PK\u0003\u0004").startsWith("a zip archive"));
        assertTrue(said("a".repeat(257) + "ustar").startsWith("a tar archive"));
    }

    private static String said(String head) {
        byte[] bytes = head.getBytes(StandardCharsets.ISO_8859_1);
        return Signature.of(bytes, bytes.length);
    }
}
