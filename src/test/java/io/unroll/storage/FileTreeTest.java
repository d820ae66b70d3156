package io.unroll.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.text.Boundary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lists each file once, and reports what it skips. */
@Timeout(60)
class FileTreeTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(folder.resolve("c/in"));
        for (String name : List.of("c/a.txt", "c/in/b.txt", "c/.hidden", "c/_SUCCESS", "outside.txt")) {
            Files.writeString(folder.resolve(name), name);
        }
    }

    private List<String> names(String path) {
        return CorpusFiles.parts(path, 1 << 20, new Configuration()).stream()
                .flatMap(List::stream)
                .map(slice -> slice.file()
                        .substring(slice.file().indexOf(folder.toString())
                                + folder.toString().length()
                                + 1))
                .toList();
    }

    private String problem(String path) {
        return assertThrows(UnrollException.class, () -> names(path)).getMessage();
    }

    private void link(String name, String target) throws IOException {
        Files.createSymbolicLink(folder.resolve(name), Path.of(target));
    }

    private void pipe(String name) throws IOException, InterruptedException {
        assertEquals(
                0,
                new ProcessBuilder("mkfifo", folder.resolve(name).toString())
                        .start()
                        .waitFor());
    }

    @Test
    void cyclicLinksListEachFileOnce() throws IOException {
        link("c/back", ".");
        link("c/in/up", "..");
        link("c/0", "in");
        link("c/me", "me");
        link("c/in/twice.txt", "../a.txt");

        assertEquals(List.of("c/a.txt", "c/in/b.txt"), names(folder + "/c"));
        assertEquals(List.of("c/a.txt", "c/in/b.txt"), names(folder + "/c/*"));
        assertEquals(List.of("c/back/a.txt", "c/back/in/b.txt"), names(folder + "/c/back"));
    }

    @Test
    void followsLinksOutOfTheFolder() throws IOException {
        link("c/z.txt", "../outside.txt");

        assertEquals(List.of("c/a.txt", "c/in/b.txt", "c/z.txt"), names(folder + "/c"));
    }

    @Test
    void skipsPipesDevicesAndBrokenLinks() throws Exception {
        pipe("c/pipe");
        link("c/null", "/dev/null");
        link("c/broken", "nothing");

        assertEquals(List.of("c/a.txt", "c/in/b.txt"), names(folder + "/c"));
    }

    @Test
    void reportsWhyAPathCannotBeRead() throws Exception {
        pipe("pipe");
        link("broken", "nothing");
        link("zero", "/dev/zero");
        Files.createDirectories(folder.resolve("hollow"));
        Files.writeString(folder.resolve("hollow/.data.txt"), "text");

        assertTrue(
                problem(folder + "/pipe").contains("pipe (a named pipe, which can be read only once"),
                problem(folder + "/pipe"));
        assertTrue(problem(folder + "/broken").contains("broken (a broken link)"), problem(folder + "/broken"));
        assertTrue(problem(folder + "/zero").contains("zero (a device, which has no end)"), problem(folder + "/zero"));
        assertTrue(problem("/dev/zero").contains("/dev/zero (a device, which has no end)"), problem("/dev/zero"));
        assertTrue(
                problem(folder + "/hollow").contains(".data.txt (its name begins with . or _)"),
                problem(folder + "/hollow"));
    }

    @Test
    void acceptsSpecialCharactersInNames() throws IOException {
        for (String name : List.of("2024-03-01T12:00:00.log", "a:b", "with blank", "50%", "ü#?[1]")) {
            Files.createDirectories(folder.resolve("names:1"));
            Files.writeString(folder.resolve("names:1/" + name), name);
            assertEquals(name, read("names:1/" + name.replaceAll("[\\[?]", "\\\\$0")));
        }
        assertEquals(5, names(folder + "/names:1").size());
        assertEquals(List.of("names:1/2024-03-01T12:00:00.log"), names(folder + "/names:1/*.log"));
        assertEquals(List.of("names:1/a:b"), names(folder + "/names:?/a*"));
        assertEquals(List.of("c/a.txt", "names:1/a:b"), names(folder + "/{c/a.txt,names:1/a:b}"));
        assertEquals(
                "./12:00.log: no such file or folder, and no file matches it as a pattern.",
                problem("12:00.log").replaceFirst("^(?!\\./)", "./"));
    }

    private String read(String name) throws IOException {
        FileSplit slice = CorpusFiles.parts(folder + "/" + name, 1 << 20, new Configuration())
                .get(0)
                .get(0);
        try (SplitInput in = SplitInput.open(slice, Boundary.LINE, new Configuration())) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void checksumMismatchIsReportedWithTheFix() throws IOException {
        var fs = org.apache.hadoop.fs.FileSystem.getLocal(new Configuration());
        var file = new org.apache.hadoop.fs.Path(folder.resolve("part-00000").toString());
        try (var out = fs.create(file)) {
            out.write("once".getBytes(StandardCharsets.UTF_8));
        }
        Files.writeString(folder.resolve("part-00000"), "then");

        String problem =
                assertThrows(UnrollException.class, () -> read("part-00000")).getMessage();

        assertTrue(
                problem.matches(".*/part-00000 does not match its checksum file, .part-00000.crc: restore the file,"
                        + " or delete .part-00000.crc, if you changed the file yourself."),
                problem);
    }

    @Test
    void skipsTheByteOrderMarkForEverySliceSize() throws IOException {
        Files.writeString(folder.resolve("mark.txt"), "\uFEFFone\ntwo\uFEFF\n");
        for (Boundary boundary : Boundary.values()) {
            for (int bytes = 1; bytes < 20; bytes++) {
                ByteArrayOutputStream content = new ByteArrayOutputStream();
                for (List<FileSplit> part : CorpusFiles.parts(folder + "/mark.txt", bytes, new Configuration())) {
                    for (FileSplit slice : part) {
                        try (SplitInput in = SplitInput.open(slice, boundary, new Configuration())) {
                            content.writeBytes(in.readAllBytes());
                        }
                    }
                }
                assertEquals("one\ntwo\uFEFF\n", content.toString(StandardCharsets.UTF_8), boundary + " " + bytes);
            }
        }
    }

    @Test
    void unsupportedCompressionIsNamed() throws IOException {
        for (String name : List.of(
                "a.zst",
                "a.csv.zst",
                "a.snappy",
                "a.lz4",
                "a.br",
                "a.7z",
                "a.zip",
                "a.tar",
                "a.tar.gz",
                "a.TGZ",
                "a.xz",
                "a.parquet.gz")) {
            Files.writeString(folder.resolve(name), "packed");
            assertTrue(
                    problem(folder + "/" + name)
                            .contains(name + " is in a compression or archive format that Unroll cannot read"),
                    problem(folder + "/" + name));
            Files.delete(folder.resolve(name));
        }
    }

    @Test
    void missingFileIsAConfigurationError() {
        assertThrows(ConfigurationException.class, () -> names(folder + "/no*"));
        assertThrows(UnrollException.class, () -> names(folder + "/[z-a]{"));
    }
}
