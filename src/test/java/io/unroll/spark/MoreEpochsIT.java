package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run that resumes for more epochs equals a run that had this number of epochs from the beginning, bit for bit. */
class MoreEpochsIT {
    @TempDir
    private static Path folder;

    private static TestRuns runs;

    @BeforeAll
    static void write() throws IOException {
        runs = new TestRuns();
        Files.writeString(folder.resolve("text"), SampleText.lines(300));
        Files.writeString(folder.resolve("rows.csv"), TestRuns.rows(300));
    }

    @AfterAll
    static void stop() {
        runs.close();
    }

    private static String settings(String run, String task, int epochs, String more) {
        return """
                run.directory = "%1$s/%2$s", task = %3$s
                corpus { path = "%1$s/%4$s", prepared = "%1$s/prepared", validation = 0.2, test = 0 }
                model { hidden = 8, layers = 1, dropout = 0.2 }
                training { epochs = %5$d, batch = 8, tbptt = 16, learning-rate = 0.02 }
                cluster { replicas = 2, averaging { every = 5, method = bmuf } }
                """
                        .formatted(folder, run, task, task.equals("classification") ? "rows.csv" : "text", epochs)
                + more;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "language-model | training { schedule = plateau, early-stopping = 2 }, cluster.averaging.updater = keep",
                "classification | training.early-stopping = 3",
            })
    void trainsMoreEpochsWithEarlyStopping(String task, String more) throws IOException {
        trainsMoreEpochsWithTheSameBits(task, more);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "language-model | training.schedule = constant",
                "language-model | training { schedule = step, decay-after = 2 }",
                // The best epoch is before the last one, and no later epoch is better.
                "language-model | training { early-stopping = 9, learning-rate = 0.5 }",
                "language-model | run.checkpoint { every = 4, keep = 1 }",
            })
    void trainsMoreEpochsWithTheSameBits(String task, String more) throws IOException {
        String name = task + Integer.toHexString(more.hashCode());
        runs.train(settings(name + "-long", task, 5, more));
        TrainedModel three = runs.train(settings(name, task, 3, more));
        Path run = folder.resolve(name);

        runs.progress.clear();
        TrainedModel five = runs.train(settings(name, task, 5, more));

        boolean stoppedBefore = three.manifest().epochs() < 3;
        assertTrue(stoppedBefore || runs.progress.stream().anyMatch(line -> line.startsWith("round ")));
        assertSame(folder.resolve(name + "-long"), run);
        assertEquals(5, five.settings().training().epochs());
        runs.progress.clear();
        runs.train(settings(name, task, 5, more));
        assertEquals(List.of("finished [" + run + "/model]"), runs.progress);
    }

    /** As after a kill in the second epoch: no model yet, and no later checkpoints. */
    @Test
    void resumesAnUnfinishedRunWithMoreEpochs() throws IOException {
        runs.train(settings("uninterrupted", "language-model", 4, ""));
        runs.train(settings("killed", "language-model", 2, "run.checkpoint.keep = 99"));
        Path run = folder.resolve("killed");
        FileUtils.deleteDirectory(run.resolve("model").toFile());
        for (int round = 6; round < 99; round++) {
            Files.deleteIfExists(run.resolve("checkpoints/round-%08d.checkpoint".formatted(round)));
        }

        runs.progress.clear();
        runs.train(settings("killed", "language-model", 4, ""));

        assertTrue(runs.progress.stream().anyMatch(line -> line.startsWith("resumed [") && line.endsWith(", 5]")));
        assertSame(folder.resolve("uninterrupted"), run);
    }

    @Test
    void keepsTheModelUntilTheLongerRunIsComplete() throws IOException {
        runs.train(settings("two", "language-model", 2, ""));
        runs.train(settings("four", "language-model", 4, ""));
        Path run = folder.resolve("resumed");
        FileUtils.copyDirectory(folder.resolve("two").toFile(), run.toFile());
        // As if another attempt had been killed in the third epoch: the run directory has a checkpoint of that epoch.
        runs.train(settings("three", "language-model", 3, "run.checkpoint.keep = 99"));
        Path rounds = folder.resolve("three/checkpoints");
        int third;
        try (Stream<Path> files = Files.list(rounds)) {
            third = (int) files.filter(file -> file.getFileName().toString().startsWith("round"))
                            .count()
                    - 1;
        }
        String name = "round-%08d.checkpoint".formatted(third);
        Files.copy(rounds.resolve(name), run.resolve("checkpoints/" + name));
        for (String file : List.of("metrics.jsonl", ".metrics.jsonl.crc")) {
            Files.copy(folder.resolve("three/" + file), run.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        assertEquals(-1, Files.mismatch(folder.resolve("two/model/network.zip"), run.resolve("model/network.zip")));

        runs.train(settings("resumed", "language-model", 4, ""));

        assertSame(folder.resolve("four"), run);
    }

    @ParameterizedTest
    @CsvSource({"linear", "cosine"})
    void refusesIfTheScheduleDependsOnTheNumberOfEpochs(String schedule) throws IOException {
        String more = "training.schedule = " + schedule;
        runs.train(settings(schedule, "language-model", 2, more));
        Path run = folder.resolve(schedule);
        var before = TestRuns.content(run);

        String message = refusal(settings(schedule, "language-model", 3, more));

        assertTrue(
                message.contains("training.epochs is 3, and was 2; training.schedule = " + schedule + " depends"),
                message);
        assertTrue(
                message.contains("training.start-from=" + run + "/model to start from the weights of this model"),
                message);
        assertEquals(before, TestRuns.content(run));
        FileUtils.deleteDirectory(run.resolve("model").toFile());
        assertTrue(refusal(settings(schedule, "language-model", 3, more)).contains("depends on it"));
    }

    @Test
    void refusesFewerEpochsOtherSettingsAndMissingCheckpoints() throws IOException {
        runs.train(settings("plain", "language-model", 2, "run.checkpoint.every = 0"));
        Path run = folder.resolve("plain");
        assertFalse(Files.exists(run.resolve("checkpoints/round-00000001.checkpoint")));

        assertTrue(refusal(settings("plain", "language-model", 1, "")).contains("training.epochs is 1, and was 2."));
        assertTrue(refusal(settings("plain", "language-model", 3, "model.dropout = 0.3"))
                .contains("model.dropout is 0.3, and was 0.2. "));
        String message = refusal(settings("plain", "language-model", 3, ""));
        assertTrue(message.contains("there is no checkpoint to resume from"), message);
        assertTrue(
                message.contains("training.start-from=" + run + "/model to start from the weights of this model"),
                message);
    }

    private static String refusal(String settings) {
        return assertThrows(ConfigurationException.class, () -> runs.train(settings))
                .getMessage();
    }

    private static void assertSame(Path expected, Path actual) throws IOException {
        for (String file : List.of("network.zip", "manifest.json", "vocabulary.json")) {
            assertEquals(-1, Files.mismatch(expected.resolve("model/" + file), actual.resolve("model/" + file)), file);
        }
        assertEquals(losses(expected), losses(actual));
    }

    /** @return the metrics of each round, without times and the planned number of rounds */
    private static List<String> losses(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                .map(line -> line.replaceAll("\"rounds\":\\d+,|\"tokens_per_second.*", ""))
                .toList();
    }
}
