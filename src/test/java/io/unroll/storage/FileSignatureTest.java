package io.unroll.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileSignatureTest {
    private static final String TEXT = "Es sa\u00DF ein Mann im Caf\u00E9,\r\nohne Ende.\n".repeat(20);

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"})
    void namesEncodingsWithAndWithoutByteOrderMark(String encoding) {
        for (String mark : List.of("\uFEFF", "")) {
            byte[] bytes = (mark + TEXT).getBytes(Charset.forName(encoding));
            String description = FileSignature.describe(bytes, bytes.length);
            assertEquals(
                    "text in " + encoding + ", not in UTF-8: convert it, for example with iconv -f " + encoding
                            + " -t UTF-8.",
                    description);
        }
    }

    @Test
    void acceptsText() {
        for (String text :
                List.of("", "a", TEXT, "\uFEFF" + TEXT, "PARIS", "BZh", "GIF and PNG", "text,label\na\0b,x\n")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertNull(FileSignature.describe(bytes, bytes.length), text);
        }
        byte[] latin = TEXT.getBytes(StandardCharsets.ISO_8859_1);
        assertNull(FileSignature.describe(latin, latin.length));
    }

    @Test
    void namesCompressedFilesAndArchives() {
        assertTrue(description("\u001F\u008B\b\0").startsWith("compressed with gzip: give it a name that ends in .gz"));
        assertTrue(description("BZh91AY&SY..").startsWith("compressed with bzip2"));
        assertTrue(description("(\u00B5/\u00FD....").startsWith("compressed with Zstandard: unpack it"));
        assertTrue(description("PK\u0003\u0004").startsWith("a zip archive"));
        assertTrue(description("a".repeat(257) + "ustar").startsWith("a tar archive"));
    }

    private static String description(String head) {
        byte[] bytes = head.getBytes(StandardCharsets.ISO_8859_1);
        return FileSignature.describe(bytes, bytes.length);
    }
}
