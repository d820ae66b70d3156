package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.checkpoint.RunDirectory;
import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Foreign files where a run would write are named in the message and not touched. */
class UnrollFilesIT {
    @TempDir
    private static Path folder;

    private static TestRuns runs;

    @BeforeAll
    static void train() throws IOException {
        runs = new TestRuns();
        Files.writeString(folder.resolve("text"), SampleText.lines(200));
        runs.train(settings("done", ""));
    }

    @AfterAll
    static void stop() {
        runs.close();
    }

    private static String settings(String run, String more) {
        return """
                run.directory = "%1$s/%2$s"
                corpus { path = "%1$s/text", prepared = "%1$s/prepared", validation = 0.1, test = 0 }
                model { hidden = 8, layers = 1 }
                training { epochs = 2, batch = 4, tbptt = 16 }
                """
                        .formatted(folder, run)
                + more;
    }

    /** State: a new run directory, or that of a complete run. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "new  | checkpoints/best.pt                  |                      | best.pt",
                "new  | checkpoints/runs/1                   |                      | runs",
                "new  | checkpoints                          |                      | checkpoints",
                "new  | checkpoints/notes.draft              |                      | notes.draft",
                "new  | metrics.jsonl                        |                      | metrics.jsonl",
                "new  | metrics.jsonl/mine                   |                      | metrics.jsonl",
                "new  | model/weights.bin                    |                      | weights.bin",
                "new  | model/weights.bin                    | run.overwrite = true | weights.bin",
                "new  | model/network.zip                    | run.overwrite = true | network.zip",
                "new  | model/manifest.json                  | run.overwrite = true | manifest.json",
                "new  | model/settings.conf                  | run.overwrite = true | settings.conf",
                "new  | model/labels.json                    | run.overwrite = true | labels.json",
                "new  | model/image-of-me.png                | run.overwrite = true | image-of-me.png",
                "new  | model                                | run.overwrite = true | model",
                "new  | last-good/notes.txt                  |                      | notes.txt",
                "new  | last-good                            |                      | last-good",
                "new  | .model-draft-mine/notes.txt           |                      | notes.txt",
                "new  | .model-draft-mine                    |                      | .model-draft-mine",
                "new  | .model-old-mine/notes.txt            |                      | notes.txt",
                "new  | .last-good-draft-mine/notes.txt      |                      | notes.txt",
                "new  | .lock                                |                      | .lock",
                "done | model/README.md                      | run.overwrite = true | README.md",
                "done | model/README.md                      | training.epochs = 3  | README.md",
                "done | model/.hidden                        | run.overwrite = true | .hidden",
                "done | model/more/network.zip               | run.overwrite = true | more",
                "done | checkpoints/best.pt                  | training.epochs = 3  | best.pt",
                "done | last-good/notes.txt                  | training.epochs = 3  | notes.txt",
            })
    void namesAndKeepsForeignFiles(String state, String foreign, String setting, String named) throws IOException {
        Path run = folder.resolve("run-" + UUID.randomUUID());
        if (state.equals("done")) {
            FileUtils.copyDirectory(folder.resolve("done").toFile(), run.toFile());
        }
        Path file = run.resolve(foreign);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "years of work");
        Map<String, String> before = TestRuns.content(run);
        String settings = settings(run.getFileName().toString(), setting == null ? "" : setting);

        String message = assertThrows(ConfigurationException.class, () -> runs.train(settings))
                .getMessage();

        assertTrue(message.contains("/" + named + " was not made by Unroll"), message);
        assertEquals(before, TestRuns.content(run));
    }

    @Test
    void namesAndKeepsAForeignVocabularyFile() throws IOException {
        String elsewhere = "corpus.prepared = \"" + folder + "/other\"";
        runs.train(settings("first", elsewhere));
        Path prepared;
        try (Stream<Path> folders = Files.list(folder.resolve("other"))) {
            prepared = folders.findFirst().orElseThrow();
        }
        Files.delete(prepared.resolve("index.json"));
        Files.delete(prepared.resolve(".vocabulary.json.crc"));
        Files.writeString(prepared.resolve("vocabulary.json"), "years of work");

        String message = assertThrows(ConfigurationException.class, () -> runs.train(settings("second", elsewhere)))
                .getMessage();

        assertTrue(message.contains("/vocabulary.json was not made by Unroll"), message);
        assertEquals("years of work", Files.readString(prepared.resolve("vocabulary.json")));
        Files.writeString(prepared.resolve("vocabulary.json"), "{ \"format\" : \"unroll-voc");
        runs.train(settings("second", elsewhere));
    }

    @Test
    void ignoresHiddenFilesNextToCheckpoints() throws IOException {
        Path foreign = folder.resolve("hidden/checkpoints/.notes.draft");
        Files.createDirectories(foreign.getParent());
        Files.writeString(foreign, "years of work");

        runs.train(settings("hidden", ""));

        assertEquals("years of work", Files.readString(foreign));
    }

    /** A process that is killed while it writes a file may leave any part of it. */
    @Test
    void replacesHalfWrittenFilesOfAKilledRun() throws IOException {
        Path run = folder.resolve("killed");
        FileUtils.copyDirectory(folder.resolve("done").toFile(), run.toFile());
        byte[] network = Files.readAllBytes(run.resolve("model/network.zip"));
        FileUtils.deleteQuietly(run.resolve("model/.network.zip.crc").toFile());
        Files.delete(run.resolve("model/manifest.json"));
        Files.write(run.resolve("model/network.zip"), new byte[] {'P'});
        Files.delete(run.resolve("checkpoints/round-00000002.checkpoint"));
        Path draft = Files.createDirectories(run.resolve(".model-draft-" + UUID.randomUUID()));
        Files.writeString(draft.resolve("manifest.json"), "{\n  \"form");
        Files.write(draft.resolve("network.zip"), new byte[0]);
        String name = ".round-00000002.checkpoint-" + UUID.randomUUID() + ".draft";
        Files.writeString(run.resolve("checkpoints/" + name), "UNRO");
        Files.writeString(run.resolve(".metrics.jsonl-" + UUID.randomUUID() + ".draft"), "{\"ro");

        runs.train(settings("killed", ""));

        assertArrayEquals(network, Files.readAllBytes(run.resolve("model/network.zip")));
        assertEquals(
                TestRuns.content(folder.resolve("done")).keySet(),
                TestRuns.content(run).keySet());
    }

    @Test
    void renamesACheckpointWithUnknownContent() throws IOException {
        Path run = folder.resolve("strange");
        FileUtils.copyDirectory(folder.resolve("done").toFile(), run.toFile());
        FileUtils.deleteDirectory(run.resolve("model").toFile());
        Path second = run.resolve("checkpoints/round-00000002.checkpoint");
        Files.delete(run.resolve("checkpoints/.round-00000002.checkpoint.crc"));
        Files.writeString(second, "years of work");

        runs.train(settings("strange", ""));

        assertTrue(TestRuns.content(run.resolve("checkpoints")).keySet().stream()
                .anyMatch(file -> file.startsWith(".round-00000002.checkpoint-") && file.endsWith(".unknown")));
        assertEquals(-1, Files.mismatch(folder.resolve("done/model/network.zip"), run.resolve("model/network.zip")));
    }

    @Test
    void refusesASecondTrainingInTheSameDirectory() throws IOException {
        String settings = settings("done", "run.overwrite = true");
        try (RunDirectory first =
                RunDirectory.open(TestRuns.settings(settings), Session.submittedHadoopConfiguration(), why -> {})) {
            Map<String, String> before = TestRuns.content(folder.resolve("done"));
            String message = assertThrows(UnrollException.class, () -> runs.train(settings))
                    .getMessage();
            assertTrue(
                    message.contains("done is being written to by process "
                            + ProcessHandle.current().pid()),
                    message);
            assertEquals(before, TestRuns.content(folder.resolve("done")));
            first.lock().checkNow();
        }
        runs.train(settings);
    }
}
