package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.lang3.ArrayUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sends signals to real processes during steps that take seconds: native code must not use memory that is freed. */
class ShutdownIT {
    private static final int INTERRUPTED = 128 + 2;
    private static final int TERMINATED = 128 + 15;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        Files.writeString(folder.resolve("text"), SampleText.lines(10_000));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                corpus { path = "%1$s/text", prepared = "%1$s/prepared", validation = 0, test = 0 }
                model { hidden = 384, layers = 1 }
                training { epochs = 100, batch = 128, tbptt = 256 }
                cluster { replicas = 1, averaging.every = 1 }
                """
                        .formatted(folder));
    }

    @Test
    void theProcessEndsAfterTheCurrentStep() throws Exception {
        Unroll.Running running = train("terminated", "local[1]");
        assertTrue(running.shows("round 1/"), running.progress());
        Thread.sleep(700);

        assertEnds("TERM", TERMINATED, running);

        assertTrue(running.progress().contains("interrupted; the checkpoint of round "), running.progress());
        assertTrue(Files.exists(folder.resolve("terminated/checkpoints/round-00000001.checkpoint")));
        assertFalse(Files.exists(folder.resolve("terminated/.lock")));
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"INT, local[2]", "TERM, local[2]", "INT, 'local-cluster[2,1,1024]'", "TERM, 'local-cluster[2,1,1024]'"})
    void noExecutorCrashesOnASignal(String signal, String master) throws Exception {
        Unroll.Running running = train(signal + master.length(), master, "cluster.replicas=2", "training.batch=64");
        assertTrue(running.shows("round 1/"), running.progress());
        List<ProcessHandle> executors = running.executors();
        Thread.sleep(1200);

        assertEnds(signal, signal.equals("INT") ? INTERRUPTED : TERMINATED, running);

        for (ProcessHandle executor : executors) {
            executor.onExit().get();
        }
        assertEquals(List.of(), crashReports(Path.of("target/spark/work")));
        assertTrue(running.progress().contains("run the same command again to resume"), running.progress());
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"prepare", "evaluate", "generate", "inspect"})
    void everyCommandExitsWithTheStatusOfTheSignal(String command) throws Exception {
        Path model = folder.resolve("model-of-one-round/model");
        if (!Files.exists(model)) {
            Unroll.Output trained = train("model-of-one-round", "local[2]", "training.epochs=1", "model.hidden=256")
                    .end();
            assertEquals(0, trained.status(), trained.err());
        }
        Path bigText = folder.resolve("big");
        if (!Files.exists(bigText)) {
            Files.writeString(bigText, SampleText.lines(9_000_000));
        }
        List<String> arguments =
                switch (command) {
                    case "prepare" -> List.of(
                            "prepare",
                            folder.resolve("run.conf").toString(),
                            "corpus.path=" + bigText,
                            "run.directory=" + folder.resolve("r"));
                    case "evaluate" -> List.of("evaluate", model.toString(), bigText.toString());
                    case "generate" -> List.of("generate", model.toString(), "--length", "10000000");
                    default -> List.of("inspect", model.toString(), bigText.toString(), "--tokens", "1000000");
                };
        for (String signal : List.of("INT", "TERM")) {
            int filesBefore = preparedFiles();
            Unroll.Running running = start("local[2]", arguments);
            if (command.equals("prepare")) {
                // Send the signal between the two passes over the text; on a fast machine both take a few seconds.
                assertTrue(Unroll.Running.await(() -> preparedFiles() > filesBefore), running.progress());
            } else {
                Thread.sleep(12_000);
            }
            assertEnds(signal, signal.equals("INT") ? INTERRUPTED : TERMINATED, running);
        }
    }

    /** @return the number of files of prepared corpora, including partly written ones; folders may appear and disappear meanwhile */
    private static int preparedFiles() {
        int files = 0;
        for (File corpus :
                ArrayUtils.nullToEmpty(folder.resolve("prepared").toFile().listFiles(), File[].class)) {
            files += ArrayUtils.nullToEmpty(corpus.list((parent, name) -> name.endsWith(".bin"))).length;
        }
        return files;
    }

    private static Unroll.Running train(String run, String master, String... settings) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("train", folder.resolve("run.conf").toString()));
        arguments.add("run.directory=" + folder.resolve(run));
        arguments.addAll(List.of(settings));
        return start(master, arguments);
    }

    private static Unroll.Running start(String master, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("--master", master, "--conf", "spark.ui.enabled=false"));
        command.addAll(arguments);
        return new Unroll(folder).startInOwnGroup(command.toArray(String[]::new));
    }

    private static void assertEnds(String signal, int status, Unroll.Running running) throws Exception {
        assertTrue(running.process().isAlive(), running.progress());
        // To the process group, as a terminal does.
        new ProcessBuilder("kill", "-" + signal, "--", "-" + running.process().pid())
                .start()
                .waitFor();
        Unroll.Output output = running.end();
        assertEquals(status, output.status(), output.err());
        assertFalse(output.err().contains("\tat "), output.err());
        assertFalse(output.err().contains("ShutdownHook"), output.err());
        assertFalse(output.out().contains("SIGSEGV"), output.out());
        assertEquals(List.of(), crashReports(folder));
    }

    private static List<Path> crashReports(Path root) throws IOException {
        if (!Files.exists(root)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(root, 3)) {
            return files.filter(file -> file.getFileName().toString().matches("hs_err.*|core.*"))
                    .toList();
        }
    }
}
