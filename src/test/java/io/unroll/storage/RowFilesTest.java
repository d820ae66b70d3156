package io.unroll.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.text.MalformedRowException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Paths in rows cannot lead out of their folder. */
@Timeout(60)
class RowFilesTest {
    @TempDir
    private Path folder;

    private RowFiles files;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(folder.resolve("images/in"));
        Files.createDirectories(folder.resolve("images-2"));
        for (String name :
                List.of("images/a.png", "images/in/b.png", "images/12:00.png", "secret.png", "images-2/c.png")) {
            Files.writeString(folder.resolve(name), name);
        }
        files = new RowFiles(folder.resolve("images").toString(), new Configuration());
    }

    private void assertRead(String expected, String name) throws IOException {
        assertArrayEquals(Files.readAllBytes(folder.resolve(expected)), files.read(name));
    }

    private String problem(String name) {
        return assertThrows(MalformedRowException.class, () -> files.read(name)).getMessage();
    }

    @Test
    void readsFilesInsideTheFolderByAnyPath() throws IOException {
        assertRead("images/a.png", "a.png");
        assertRead("images/in/b.png", "in/b.png");
        assertRead("images/a.png", "in/../a.png");
        assertRead("images/a.png", "../images/a.png");
        assertRead("images/a.png", folder + "/images/a.png");
        assertRead("images/12:00.png", "12:00.png");
        Files.createSymbolicLink(folder.resolve("images/link.png"), Path.of("in/b.png"));
        assertRead("images/in/b.png", "link.png");
        Files.createSymbolicLink(folder.resolve("linked"), Path.of("images"));
        files = new RowFiles(folder.resolve("linked").toString(), new Configuration());
        assertRead("images/a.png", "a.png");
    }

    @Test
    void rejectsPathsOutsideTheFolder() throws IOException {
        Files.createSymbolicLink(folder.resolve("images/secret.png"), Path.of("../secret.png"));
        Files.createSymbolicLink(folder.resolve("images/up"), Path.of(".."));
        for (String name : List.of(
                "../secret.png",
                "in/../../secret.png",
                folder + "/secret.png",
                "../images-2/c.png",
                "secret.png",
                "up/secret.png",
                "/etc/hostname")) {
            assertTrue(problem(name).contains("is not in " + folder.resolve("images")), name + ": " + problem(name));
        }
        for (String name : List.of(
                "file:///etc/hostname",
                "file:/etc/hostname",
                "hdfs://host/a.png",
                "none.png",
                "x".repeat(300),
                "a.png/b")) {
            assertTrue(problem(name).startsWith("there is no file "), problem(name));
        }
    }

    @Test
    void rejectsSpecialAndTooLargeFiles() throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("mkfifo", folder.resolve("images/pipe").toString())
                        .start()
                        .waitFor());
        assertEquals("pipe is not a regular file", problem("pipe"));
        assertTrue(problem("in").startsWith("in is a folder in "), problem("in"));
        try (RandomAccessFile sparse =
                new RandomAccessFile(folder.resolve("images/huge.png").toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
        assertTrue(problem("huge.png").startsWith("huge.png has 1099511627776 bytes"), problem("huge.png"));
    }
}
