package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.task.Task;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prepares unusual corpora, on local Spark. */
class PrepareDataIT {
    @TempDir
    private static Path folder;

    private static Session session;

    @BeforeAll
    static void start() {
        session = TestRuns.startSession();
    }

    @AfterAll
    static void stop() {
        session.close();
    }

    /** Of the 10 rows of a label, 5 % for the test is rounded to 1 row, and so is 10 % for test and validation. */
    @Test
    void saysThatNoLabelHasEnoughRowsForValidation() throws IOException {
        String rows = IntStream.range(0, 30)
                .mapToObj(i -> "text" + i + "," + "xyz".charAt(i % 3) + "\n")
                .collect(Collectors.joining("", "text,label\n", ""));
        String settings = "task = classification, corpus.path = \"" + write("few.csv", rows) + "\"";

        String problem = assertThrows(ConfigurationException.class, () -> prepare(settings))
                .getMessage();

        assertEquals(
                "corpus.validation = 0.05 asks for 1 row, but none can be held out: the share is taken from each label,"
                        + " and no label has enough rows. Add rows, raise the share, or set corpus.validation to 0.",
                problem);
    }

    @Test
    void refusesACorpusWhoseDuplicatesLeaveNoValidationRows() throws IOException {
        Path file = write("twice.csv", "text,label\n" + "a,x\nb,x\nc,y\nd,y\n".repeat(25));
        String settings = "task = classification, corpus { test = 0, validation = 0.1, path = \"" + file + "\" }\n";

        String problem = assertThrows(ConfigurationException.class, () -> prepare(settings))
                .getMessage();

        assertTrue(
                problem.startsWith("corpus.validation = 0.1 asks for 10 rows, but none can be held out: duplicates"),
                problem);
        assertEquals(
                50,
                prepare(settings + "corpus.validation = 0.5")
                        .source()
                        .size(0)
                        .counts()
                        .get("validation"));
        assertEquals(
                100,
                prepare(settings + "corpus.validation = 0")
                        .source()
                        .size(0)
                        .counts()
                        .get("training"));
    }

    @Test
    void refusesAFolderOfTablesAndTexts() throws IOException {
        write("mixed/reviews.csv", "text,label\na,x\nb,y\n");
        write("mixed/README.md", "About these reviews\n");
        String settings = "task = classification, corpus { test = 0, validation = 0 }, corpus.path = ";

        String problem = assertThrows(ConfigurationException.class, () -> prepare(settings + quoted("mixed")))
                .getMessage();

        assertTrue(problem.contains("mixed/README.md is not a table, unlike "), problem);
        assertEquals(
                2,
                prepare(settings + quoted("mixed/*.csv"))
                        .source()
                        .size(0)
                        .counts()
                        .get("examples"));
    }

    /** Settings that a tokenizer does not use do not affect the prepared folder. */
    @Test
    void findsPreparedFilesAgainIfOnlyOtherTokenizersSettingsChange() throws IOException {
        String text =
                "task = language-model, corpus.path = \"" + write("text.txt", "the cat sat\n".repeat(99)) + "\"\n";
        for (String tokenizer : List.of("char", "byte", "word")) {
            String settings = text + "corpus.tokenizer = " + tokenizer + "\n";
            String first = prepare(settings).folder();
            String counted = prepare(settings + "corpus.min-count = 2, corpus.max-vocabulary = 90")
                    .folder();
            String replaced = prepare(settings + "corpus.malformed = replace").folder();
            assertEquals(!tokenizer.equals("byte"), !first.equals(counted), tokenizer);
            assertEquals(!tokenizer.equals("byte"), !first.equals(replaced), tokenizer);
        }
    }

    @Test
    void ignoresAByteOrderMark() throws IOException {
        String settings = "task = language-model, corpus.path = ";
        String plain = prepare(settings + "\"" + write("plain.txt", "the cat sat\n".repeat(99)) + "\"")
                .folder();

        assertEquals(
                plain,
                prepare(settings + "\"" + write("marked.txt", "\uFEFF" + "the cat sat\n".repeat(99)) + "\"")
                        .folder());
        assertNotEquals(
                plain,
                prepare(settings + "\"" + write("other.txt", "the cat sat\n".repeat(98)) + "\"")
                        .folder());
    }

    @Test
    void treatsAnImagePathOutsideTheFolderAsMalformed() throws IOException {
        Files.createDirectories(folder.resolve("images"));
        for (String name : List.of("images/a.png", "b.png")) {
            ImageIO.write(
                    new BufferedImage(9, 9, BufferedImage.TYPE_INT_RGB),
                    "png",
                    folder.resolve(name).toFile());
        }
        Path file = write("captions.csv", "image,caption\na.png,x\n../b.png,y\n");
        String settings = "task = captioning, model.image.side = 8, corpus { test = 0, validation = 0, images = "
                + quoted("images") + ", path = \"" + file + "\" }\n";

        String problem =
                assertThrows(UnrollException.class, () -> prepare(settings)).getMessage();

        assertTrue(
                problem.contains("captions.csv, the row with image = ../b.png, caption = y: ../b.png is not in "),
                problem);
        PreparedCorpus corpus = prepare(settings + "corpus.malformed = skip");
        assertEquals(1L, corpus.source().size(0).counts().get("skipped"));
    }

    @Test
    @Tag("full")
    void preparesOrRefusesDamagedCorpora() throws IOException {
        prepareDamaged(25, 1);
    }

    @Test
    @Tag("nightly")
    void preparesOrRefusesManyDamagedCorpora() throws IOException {
        prepareDamaged(1000, 1000);
    }

    /** Leaves only complete prepared folders, and does not touch existing files. */
    private static void prepareDamaged(int count, long seed) throws IOException {
        byte[] csv = "text,label\n\"a, b\",x\nc d,y\n\"e\nf\",x\n\u00E9,y\n".getBytes(StandardCharsets.UTF_8);
        Path foreign = write("fuzzed/prepared/mine.txt", "mine");
        for (String task : List.of("classification", "language-model")) {
            for (int i = 0; i < count; i++) {
                byte[] mutation = Fuzz.mutation(csv, seed + i);
                Path file = Files.write(folder.resolve("fuzzed.csv"), mutation);
                String settings = "task = " + task + ", run.directory = " + quoted("fuzzed")
                        + ", corpus { test = 0, validation = 0, path = \"" + file + "\" }";
                Fuzz.assertReadOrRefused(task + " " + (seed + i), () -> {
                    Path prepared = Path.of(URI.create(prepare(settings).folder()));
                    assertTrue(Files.exists(prepared.resolve("index.json")));
                });
                assertArrayEquals(mutation, Files.readAllBytes(file));
                assertEquals("mine", Files.readString(foreign));
            }
        }
        try (Stream<Path> folders = Files.list(folder.resolve("fuzzed/prepared"))) {
            for (Path prepared : folders.filter(Files::isDirectory).toList()) {
                assertTrue(Files.exists(prepared.resolve("index.json")), prepared.toString());
            }
        }
    }

    private static PreparedCorpus prepare(String text) throws IOException {
        Settings settings = SettingsReader.parse("run.directory = " + quoted("run") + "\n" + text, "test");
        return CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
    }

    private static String quoted(String name) {
        return "\"" + folder.resolve(name) + "\"";
    }

    private static Path write(String name, String text) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        return Files.writeString(folder.resolve(name), text);
    }
}
