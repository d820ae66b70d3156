package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunJournalTest {
    @TempDir
    private Path folder;

    /** A local file system that creates files only after the test opens the gate. */
    public static final class WaitingFileSystem extends LocalFileSystem {
        private static volatile CountDownLatch gate = new CountDownLatch(0);

        @Override
        public FSDataOutputStream create(
                org.apache.hadoop.fs.Path path,
                FsPermission permission,
                boolean overwrite,
                int buffer,
                short replication,
                long block,
                Progressable progress)
                throws IOException {
            try {
                assertTrue(gate.await(30, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return super.create(path, permission, overwrite, buffer, replication, block, progress);
        }

        static Configuration configuration() {
            Configuration configuration = new Configuration();
            configuration.setClass("fs.file.impl", WaitingFileSystem.class, LocalFileSystem.class);
            configuration.setBoolean("fs.file.impl.disable.cache", true);
            return configuration;
        }
    }

    @Test
    void writesInTheBackgroundAndTheNextRecordWaits() throws Exception {
        try (RunJournal journal = journal("", WaitingFileSystem.configuration())) {
            WaitingFileSystem.gate = new CountDownLatch(1);
            journal.record(state(1, null));
            assertEquals(List.of(), checkpoints());

            Thread next = new Thread(() -> journal.record(state(2, null)));
            next.start();
            next.join(300);
            assertTrue(next.isAlive(), "round 2 was recorded before round 1 was written");

            WaitingFileSystem.gate.countDown();
            next.join();
            journal.await();
            assertEquals(2, journal.lastCheckpointRound());
            assertEquals(List.of(1, 2), checkpoints());
            assertEquals(2, Files.readAllLines(folder.resolve("metrics.jsonl")).size());
        }
    }

    @Test
    void reportsAFailedWriteWithTheNextRound() throws IOException {
        try (RunJournal journal = journal("", DyingFileSystem.dyingAfter(0))) {
            journal.record(state(1, null));
            String message = assertThrows(UnrollException.class, () -> journal.record(state(2, null)))
                    .getMessage();
            assertTrue(message.startsWith("cannot write " + folder.resolve("metrics.jsonl")), message);
        }
    }

    @Test
    void writesCheckpointsByRounds() throws IOException {
        assertEquals(List.of(2, 4), checkpointsOf("run.checkpoint { every = 2, keep = 9 }", 5));
    }

    @Test
    void writesMetricsIfCheckpointsAreOff() throws IOException {
        assertEquals(List.of(), checkpointsOf("run.checkpoint { every = 0, keep = 9 }", 5));
        assertEquals(5, Files.readAllLines(folder.resolve("metrics.jsonl")).size());
    }

    @Test
    void writesCheckpointsByTime() throws Exception {
        try (RunJournal journal = journal("run.checkpoint.every = 1s", new Configuration())) {
            Thread.sleep(1000);
            journal.record(state(1, null));
            journal.record(state(2, null));
            journal.await();
            assertEquals(List.of(1), checkpoints());
        }
    }

    @Test
    void alwaysWritesTheBestAndTheLastRound() throws IOException {
        try (RunJournal journal = journal("run.checkpoint { every = 1h, keep = 9 }", new Configuration())) {
            journal.record(state(1, null));
            journal.record(RunState.initial(state(1, null).snapshot())
                    .after(state(2, 0.5).snapshot(), state(2, 0.5).report(), 1));
            journal.record(state(3, null));
            Snapshot last = state(4, null).snapshot();
            journal.record(new RunState(
                    new Snapshot(last.weights(), last.velocity(), last.states(), 40, 10, 0, 4, 4000),
                    state(4, null).report(),
                    null,
                    null,
                    null));
            journal.await();
            assertEquals(List.of(2, 4), checkpoints());
        }
    }

    @Test
    void checkpointNowWritesUnlessAlreadyWrittenOrOff() throws IOException {
        try (RunJournal journal = journal("run.checkpoint.every = 100", new Configuration())) {
            journal.record(state(7, null));
            journal.checkpointNow(state(7, null));
            assertEquals(List.of(7), checkpoints());
            assertEquals(7, journal.lastCheckpointRound());
        }
        try (RunJournal journal = journal("run.checkpoint.every = 0", new Configuration())) {
            journal.checkpointNow(state(8, null));
            assertFalse(checkpoints().contains(8));
        }
    }

    private List<Integer> checkpointsOf(String settings, int rounds) throws IOException {
        try (RunJournal journal = journal(settings, new Configuration())) {
            for (int round = 1; round <= rounds; round++) {
                journal.record(state(round, null));
            }
            journal.await();
            return checkpoints();
        }
    }

    private RunJournal journal(String extraSettings, Configuration hadoop) throws IOException {
        Settings settings = SettingsReader.parse(
                "run.directory = \"" + folder + "\"\ncorpus.path = text\n" + extraSettings, "test");
        return new RunJournal(
                settings, new Checkpoints(settings, hadoop), new MetricsFile(folder.toString(), hadoop), "c0ffee");
    }

    private static RunState state(int round, Double validation) {
        Snapshot snapshot = new Snapshot(
                new Weights(new float[] {1, 2}, new float[0]), new float[0], List.of(), 10, 1, 0, round, 10);
        RoundReport report = new RoundReport(
                round, 9, 1, 10, 1, validation, 0.1, 1, 0, 0, new TreeMap<>(), 1, 1, Map.of(), Map.of());
        return new RunState(snapshot, report, validation, null, null);
    }

    /** @return the rounds of the checkpoint files, in ascending order */
    private List<Integer> checkpoints() throws IOException {
        Path checkpoints = folder.resolve("checkpoints");
        if (!Files.exists(checkpoints)) {
            return new ArrayList<>();
        }
        try (Stream<Path> files = Files.list(checkpoints)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("round-"))
                    .map(name -> Integer.parseInt(name.substring(6, 14)))
                    .sorted()
                    .toList();
        }
    }
}
