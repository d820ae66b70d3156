package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.unroll.Unroll;
import io.unroll.cli.InProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run on the sessions of a table is killed while it prepares its corpus, and while it trains. */
@Tag("full")
class KillTableIT {
    private static final int EVENTS = 60_000;
    private static final int MAX_ATTEMPTS = 10;

    @TempDir
    private Path folder;

    @Test
    void endsWithTheSameWeights() throws Exception {
        StringBuilder events = new StringBuilder();
        for (int i = 0; i < EVENTS; i++) {
            events.append("{\"event\": {\"text\": \"job ")
                    .append(i * 7919 % 97)
                    .append(" started\"}, \"host\": \"h")
                    .append(i % 1500)
                    .append("\", \"time\": ")
                    .append(i)
                    .append("}\n");
        }
        Files.writeString(folder.resolve("events.jsonl"), events);
        Files.writeString(
                folder.resolve("run.conf"),
                """
                corpus {
                  path = "%s/events.jsonl"
                  columns { text = event.text, document = host, order = time }
                  documents = reset, tokenizer = word, validation = 0.05, test = 0
                }
                model { hidden = 32, layers = 1, dropout = 0.1 }
                training { epochs = 3, batch = 8, tbptt = 16 }
                cluster { replicas = 2, averaging { every = 5, updater = keep } }
                """
                        .formatted(folder));
        Unroll.Output uninterrupted = InProcess.unroll(command("uninterrupted"));
        assertEquals(0, uninterrupted.status(), uninterrupted.err());

        killInPreparation();
        Unroll.Running training = start();
        assertTrue(training.shows("round 3/"), training.progress());
        training.kill();

        Unroll.Output output = start().end();
        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round "), output.err());
        assertEquals(
                -1,
                Files.mismatch(
                        folder.resolve("uninterrupted/model/network.zip"), folder.resolve("run/model/network.zip")));
    }

    /** Between the first file and the index, which is written last. */
    private void killInPreparation() throws Exception {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            FileUtils.deleteDirectory(folder.resolve("run").toFile());
            Unroll.Running preparing = start();
            assertTrue(Unroll.Running.await(() -> isPrepared(".bin")), preparing.progress());
            preparing.kill();
            assertFalse(preparing.progress().contains("  loss "), preparing.progress());
            if (!isPrepared("index.json")) {
                assertTrue(isPrepared(".bin"));
                return;
            }
        }
        fail("each time, the preparation ended before it was killed");
    }

    /** @return whether the prepared corpus has a file with this ending */
    private boolean isPrepared(String ending) {
        Path prepared = folder.resolve("run/prepared");
        if (!Files.exists(prepared)) {
            return false;
        }
        try (Stream<Path> files = Files.walk(prepared)) {
            return files.anyMatch(file -> file.toString().endsWith(ending));
        } catch (IOException e) {
            return false;
        }
    }

    private Unroll.Running start() throws IOException {
        return new Unroll(folder)
                .start(Stream.concat(Stream.of("--master", "local[2]"), Stream.of(command("run")))
                        .toArray(String[]::new));
    }

    private String[] command(String run) {
        return new String[] {"train", folder.resolve("run.conf").toString(), "run.directory=" + folder.resolve(run)};
    }
}
