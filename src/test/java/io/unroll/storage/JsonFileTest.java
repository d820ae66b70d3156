package io.unroll.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.config.DamagedFileException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Says where a damaged file is invalid, in words that do not depend on the parser or on the damaged bytes. */
class JsonFileTest {
    record Part(String name, Map<Long, Long> counts) {
        Part {
            if (name.length() > 9) {
                throw new IllegalArgumentException(name + " is too long");
            }
        }
    }

    record Content(List<Part> parts) {}

    private static final JsonFile<Content> FILE = new JsonFile<>("test", 1, Content.class, 1 << 10);

    private static String problem(String fields) {
        byte[] json = ("{\"format\": \"test\",\n\"version\": 1" + fields).getBytes(StandardCharsets.UTF_8);
        return assertThrows(DamagedFileException.class, () -> FILE.parse(json, "a.json"))
                .getMessage();
    }

    @Test
    void namesTheKeyOfAnInvalidValue() {
        assertEquals(
                "a.json is damaged: \"parts[1].counts\" has an invalid value.",
                problem(", \"parts\": [{\"name\": \"a\"}, {\"name\": \"a\", \"counts\": {\"$\": 1}}]}"));
        assertEquals("a.json is damaged: \"parts\" has an invalid value.", problem(", \"parts\": 5}"));
    }

    @Test
    void namesTheLineOfASyntaxError() {
        assertEquals("a.json is damaged: line 2 is not valid JSON near column 16.", problem(", \u0001}"));
        assertEquals("a.json is damaged: it ends too early.", problem(", \"parts\": ["));
    }

    @Test
    void givesTheReasonOfTheConstructorWithoutControlCharacters() {
        assertEquals(
                "a.json is damaged: a?bcdefghij is too long.",
                problem(", \"parts\": [{\"name\": \"a\\u0007bcdefghij\"}]}"));
    }
}
