package io.unroll.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusFilesTest {
    @TempDir
    private Path folder;

    @Test
    void sortsFilesByPathAndSkipsHiddenOnes() throws IOException {
        Files.createDirectories(folder.resolve("b"));
        for (String name : List.of("c", "a", "b/x", ".hidden", "_SUCCESS", "empty")) {
            Files.writeString(folder.resolve(name), name.equals("empty") ? "" : "12345");
        }

        List<List<FileSplit>> parts = CorpusFiles.parts(folder.toString(), 4, new Configuration());

        assertEquals(
                List.of("a 0-4", "a 4-5 x 0-4", "x 4-5 c 0-4", "c 4-5"),
                parts.stream()
                        .map(part -> String.join(
                                " ",
                                part.stream()
                                        .map(s -> Path.of(s.file()).getFileName() + " " + s.start() + "-" + s.end())
                                        .toList()))
                        .toList());
    }

    @Test
    void expandsGlobPatterns() throws IOException {
        Files.writeString(folder.resolve("one.txt"), "1");
        Files.writeString(folder.resolve("two.log"), "2");

        assertEquals(
                1,
                CorpusFiles.parts(folder + "/*.txt", 4, new Configuration())
                        .get(0)
                        .size());
    }

    @Test
    void missingOrEmptyPathsAreReported() throws IOException {
        Files.createDirectories(folder.resolve("none"));
        Files.writeString(folder.resolve("empty"), "");

        assertTrue(messageOf("missing").contains("missing: no such file or folder"));
        assertTrue(messageOf("none").contains("contains no readable file"));
        assertTrue(messageOf("empty").contains("empty is empty"));
    }

    private String messageOf(String name) {
        String path = folder.resolve(name).toString();
        return assertThrows(ConfigurationException.class, () -> CorpusFiles.parts(path, 4, new Configuration()))
                .getMessage();
    }
}
