package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.RecurrentState;
import io.unroll.train.ReplicaState;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.Weights;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
    private static final String CORPUS = "c0ffee";

    @TempDir
    private Path folder;

    private final List<String> damaged = new ArrayList<>();

    @Test
    void readsWhatWasWritten() throws IOException {
        RunState before = state(6, 0.5);
        RunState state = before.after(state(7, 0.6).snapshot(), state(7, 0.6).report(), 1);
        checkpoints("").write(state, CORPUS);

        Checkpoints.LatestCheckpoint found =
                checkpoints("").latest(this::addDamaged).orElseThrow();

        assertArrayEquals(
                state.snapshot().weights().parameters(),
                found.state().snapshot().weights().parameters());
        assertArrayEquals(
                state.snapshot().weights().optimizer(),
                found.state().snapshot().weights().optimizer());
        assertArrayEquals(state.snapshot().velocity(), found.state().snapshot().velocity());
        for (int replica = 0; replica < 2; replica++) {
            ReplicaState expected = state.snapshot().states().get(replica);
            ReplicaState actual = found.state().snapshot().states().get(replica);
            assertArrayEquals(expected.recurrent().arrays(), actual.recurrent().arrays());
            assertArrayEquals(expected.optimizer(), actual.optimizer());
        }
        assertEquals(state.report(), found.state().report());
        assertEquals(state.best(), found.state().best());
        assertEquals(state.plateau(), found.state().plateau());
        assertEquals(state.validationLoss(), found.state().validationLoss());
        assertEquals(70, found.state().snapshot().iteration());
        assertEquals(2, found.state().snapshot().epoch());
        assertEquals(3, found.state().snapshot().chunk());
        assertEquals(7000, found.state().snapshot().tokens());
        found.run().checkSettings(settings(""));
        found.run().checkCorpus(CORPUS);
    }

    /** Version 1 had no groups in its header, and that of Unroll 0.1 had no plateau. */
    @Test
    void readsACheckpointOfVersion1() throws IOException {
        String header =
                """
                {
                  "format" : "unroll-checkpoint", "version" : 1,
                  "settings" : "run.directory = r, corpus.path = t", "corpus" : "c0ffee",
                  "iteration" : 70, "epoch" : 2, "chunk" : 3, "round" : 7, "tokens" : 7000,
                  "report" : { "round" : 7, "rounds" : 9, "epoch" : 2, "trainingLoss" : 0.75 },
                  "validationLoss" : 0.5, "best" : { "round" : 6, "epoch" : 1, "validationLoss" : 0.25 },
                  "parameters" : 3, "optimizer" : 1, "velocity" : 2,
                  "replicas" : [ { "recurrent" : [ 2, 1 ], "optimizer" : 1 }, { "recurrent" : [ ], "optimizer" : 0 } ]
                }
                """;
        CheckpointFile.Contents read = read(checkpoint(header, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));

        assertEquals("run.directory = r, corpus.path = t", read.settings());
        assertEquals(CORPUS, read.corpus());
        RunState state = read.state();
        assertEquals(0.75, state.report().trainingLoss());
        assertEquals(0.5, state.validationLoss());
        assertEquals(new RunState.Best(6, 1, 0.25), state.best());
        assertEquals(new RunState.Plateau(0, 0), state.plateau());
        Snapshot snapshot = state.snapshot();
        assertEquals(
                List.of(70, 2, 3, 7, 7000L),
                List.of(snapshot.iteration(), snapshot.epoch(), snapshot.chunk(), snapshot.round(), snapshot.tokens()));
        assertArrayEquals(new float[] {1, 2, 3}, snapshot.weights().parameters());
        assertArrayEquals(new float[] {4}, snapshot.weights().optimizer());
        assertArrayEquals(new float[] {5, 6}, snapshot.velocity());
        ReplicaState first = snapshot.states().get(0);
        assertArrayEquals(new float[][] {{7, 8}, {9}}, first.recurrent().arrays());
        assertArrayEquals(new float[] {10}, first.optimizer());
        assertEquals(0, snapshot.states().get(1).recurrent().arrays().length);
        // With the right length, but without some of what a checkpoint needs.
        for (String part : List.of("settings", "corpus", "report", "parameters", "velocity", "replicas", "recurrent")) {
            byte[] incomplete = checkpoint(header.replace("\"" + part + "\"", "\"x\""), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
            assertThrows(CheckpointFile.InvalidCheckpointException.class, () -> read(incomplete), part);
        }
    }

    private static byte[] checkpoint(String header, float... numbers) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + 4 + json.length + 8 + 4 * numbers.length + 8);
        bytes.put("UNROLLCP".getBytes(StandardCharsets.US_ASCII))
                .putInt(json.length)
                .put(json);
        bytes.putLong(checksum(bytes));
        for (float number : numbers) {
            bytes.putFloat(number);
        }
        return bytes.putLong(checksum(bytes)).array();
    }

    private static long checksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes.duplicate().flip());
        return checksum.getValue();
    }

    @Test
    void detectsFlippedBitsAndTruncation() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents(settings("").text(), CORPUS, state(1, 0.5)), out);
        byte[] good = out.toByteArray();
        for (int i = 0; i < good.length; i++) {
            byte[] flipped = good.clone();
            flipped[i] = (byte) (flipped[i] ^ (1 << (i % 8)));
            assertThrows(IOException.class, () -> read(flipped), "flipped bit in byte " + i);
            byte[] truncated = Arrays.copyOf(good, i);
            assertThrows(IOException.class, () -> read(truncated), "truncated to " + i + " bytes");
        }
        assertEquals(CORPUS, read(good).corpus());
    }

    private static CheckpointFile.Contents read(byte[] bytes) throws IOException {
        return CheckpointFile.read(new ByteArrayInputStream(bytes), bytes.length, "a file");
    }

    @Test
    void reportsADamagedCheckpointAndUsesThePreviousOne() throws IOException {
        Checkpoints checkpoints = checkpoints("");
        checkpoints.write(state(1, 0.5), CORPUS);
        checkpoints.write(state(2, 0.5), CORPUS);
        Path second = folder.resolve("run/checkpoints/round-00000002.checkpoint");
        byte[] bytes = Files.readAllBytes(second);
        Files.write(second, Arrays.copyOf(bytes, bytes.length - 3));
        Files.delete(folder.resolve("run/checkpoints/.round-00000002.checkpoint.crc"));

        assertEquals(1, latestRound(checkpoints));
        assertEquals(1, damaged.size());
        assertTrue(damaged.get(0).endsWith("round-00000002.checkpoint: it ends too early"), damaged.get(0));

        checkpoints.write(state(2, 0.5), CORPUS);
        assertEquals(2, latestRound(checkpoints));
        Files.write(second, new byte[] {1, 2, 3});
        assertEquals(1, latestRound(checkpoints));
    }

    @Test
    void keepsTheNewestCheckpointsAndTheBest() throws IOException {
        Checkpoints checkpoints = checkpoints("run.checkpoint.keep = 2");
        double[] losses = {0.9, 0.3, 0.8, 0.7, 0.6};
        RunState state = RunState.initial(state(0, 1).snapshot());
        for (int round = 1; round <= losses.length; round++) {
            RunState next = state(round, losses[round - 1]);
            state = state.after(next.snapshot(), next.report(), 2);
            checkpoints.write(state, CORPUS);
        }

        assertEquals(
                List.of("round-00000002.checkpoint", "round-00000004.checkpoint", "round-00000005.checkpoint"),
                names());
        assertEquals(0.3, checkpoints.read(state.best().round()).validationLoss());
        Files.writeString(folder.resolve("run/checkpoints/.round-00000006.checkpoint.draft"), "half");
        assertEquals(5, latestRound(checkpoints));
        checkpoints.clear();
        assertTrue(checkpoints.latest(this::addDamaged).isEmpty());
    }

    @Test
    void rejectsACheckpointOfAnotherRunAndNamesTheDifference() throws IOException {
        checkpoints("").write(state(1, 0.5), CORPUS);
        RunIdentity run = checkpoints("").latest(this::addDamaged).orElseThrow().run();

        Settings changed = settings("training.batch = 8");
        String message = assertThrows(ConfigurationException.class, () -> run.checkSettings(changed))
                .getMessage();
        assertTrue(message.contains("training.batch is 8, and was 64"), message);

        run.checkSettings(settings("corpus.path = moved, run.checkpoint { every = 5, keep = 9 }"));
        run.checkCorpus(CORPUS);
        message = assertThrows(ConfigurationException.class, () -> run.checkCorpus("beef"))
                .getMessage();
        assertTrue(message.contains("the content of the corpus has changed"), message);
    }

    @Test
    void aCheckpointOfANewerUnrollIsNotReportedAsDamaged() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents(settings("").text(), CORPUS, state(1, 0.5)), out);
        byte[] newer = withVersion9(out.toByteArray());

        String message = assertThrows(UnrollException.class, () -> read(newer)).getMessage();

        assertTrue(message.contains("written by a newer Unroll"), message);
    }

    private static byte[] withVersion9(byte[] checkpoint) {
        int headerEnd = 12 + ByteBuffer.wrap(checkpoint).getInt(8);
        byte[] version = "\"version\" : ".getBytes(StandardCharsets.US_ASCII);
        int at = 12;
        while (!Arrays.equals(checkpoint, at, at + version.length, version, 0, version.length)) {
            at++;
        }
        checkpoint[at + version.length] = '9';
        CRC32C checksum = new CRC32C();
        checksum.update(checkpoint, 0, headerEnd);
        ByteBuffer.wrap(checkpoint).putLong(headerEnd, checksum.getValue());
        return checkpoint;
    }

    @Test
    void aFullDiskFailsWithOneSentenceAndKeepsThePreviousCheckpoint() throws IOException {
        checkpoints("").write(state(1, 0.5), CORPUS);
        Configuration full = new Configuration();
        full.setClass("fs.file.impl", FullDisk.class, FileSystem.class);
        full.setBoolean("fs.file.impl.disable.cache", true);
        Checkpoints onFullDisk = new Checkpoints(settings(""), full);
        String message = assertThrows(UnrollException.class, () -> onFullDisk.write(state(2, 0.4), CORPUS))
                .getMessage();
        assertTrue(
                message.contains("round-00000002.checkpoint: No space left on device. Free space or fix the cause"),
                message);
        assertEquals(1, latestRound(checkpoints("")));
        assertEquals(List.of(), damaged);
    }

    @Test
    void failsWithoutLossIfCheckpointsCannotBeReadNow() throws IOException {
        checkpoints("").write(state(1, 0.5), CORPUS);
        Configuration forbidden = new Configuration();
        forbidden.setClass("fs.file.impl", Unreadable.class, FileSystem.class);
        forbidden.setBoolean("fs.file.impl.disable.cache", true);
        Checkpoints unreadable = new Checkpoints(settings(""), forbidden);

        String message = assertThrows(UnrollException.class, () -> unreadable.latest(this::addDamaged))
                .getMessage();

        assertTrue(message.contains("403 Forbidden. Nothing is lost"), message);
        assertEquals(List.of(), damaged);
        assertTrue(checkpoints("").latest(this::addDamaged).isPresent());
    }

    /** A local file system that lists files but refuses to open them. */
    public static final class Unreadable extends LocalFileSystem {
        @Override
        public FSDataInputStream open(org.apache.hadoop.fs.Path path, int buffer) throws IOException {
            throw new AccessDeniedException(path.toString(), null, "403 Forbidden\n\tat a.remote.Trace");
        }
    }

    @Test
    void failsIfAllCheckpointsAreDamaged() throws IOException {
        Checkpoints checkpoints = checkpoints("");
        checkpoints.write(state(1, 0.5), CORPUS);
        Files.write(folder.resolve("run/checkpoints/round-00000001.checkpoint"), new byte[] {1});

        String message = assertThrows(UnrollException.class, () -> checkpoints.latest(this::addDamaged))
                .getMessage();

        assertTrue(message.contains("is damaged: delete that folder to start from scratch"), message);
    }

    @Test
    void doesNotCountADamagedCheckpointOfALaterRound() throws IOException {
        Checkpoints checkpoints = checkpoints("run.checkpoint.keep = 1");
        checkpoints.write(state(9, 0.5), CORPUS);
        RunState second = state(2, 0.5);
        RunState third = second.after(state(3, 0.6).snapshot(), state(3, 0.6).report(), 1);

        checkpoints.write(second, CORPUS);
        checkpoints.write(third, CORPUS);

        assertTrue(names().contains("round-00000003.checkpoint"), names().toString());
    }

    /** A local file system that writes every file to /dev/full. */
    public static final class FullDisk extends LocalFileSystem {
        @Override
        public FSDataOutputStream create(org.apache.hadoop.fs.Path path, boolean overwrite) throws IOException {
            return getRaw().create(new org.apache.hadoop.fs.Path("/dev/full"), true);
        }
    }

    @Test
    void metricsResumeAfterTheRoundOfTheCheckpoint() throws IOException {
        MetricsFile metrics = new MetricsFile(folder.resolve("run").toString(), new Configuration());
        for (int round = 1; round <= 3; round++) {
            metrics.add(state(round, 0.5).report());
        }

        MetricsFile resumed = new MetricsFile(folder.resolve("run").toString(), new Configuration());
        resumed.resume(state(2, 0.5).report());
        resumed.add(state(3, 0.25).report());

        List<String> lines = Files.readAllLines(folder.resolve("run/metrics.jsonl"));
        assertEquals(3, lines.size(), lines.toString());
        assertTrue(lines.get(2).startsWith("{\"round\":3,"), lines.get(2));
        assertTrue(lines.get(2).contains("\"validation_loss\":0.25"), lines.get(2));
    }

    @Test
    void metricsResumeFromADraftIfOnlyTheDraftExists() throws IOException {
        MetricsFile metrics = new MetricsFile(folder.resolve("run").toString(), new Configuration());
        metrics.add(state(1, 0.5).report());
        metrics.add(state(2, 0.5).report());
        Files.move(folder.resolve("run/metrics.jsonl"), folder.resolve("run/.metrics.jsonl.draft"));
        Files.delete(folder.resolve("run/.metrics.jsonl.crc"));

        new MetricsFile(folder.resolve("run").toString(), new Configuration())
                .resume(state(2, 0.5).report());

        assertEquals(2, Files.readAllLines(folder.resolve("run/metrics.jsonl")).size());
    }

    private int latestRound(Checkpoints checkpoints) {
        return checkpoints
                .latest(this::addDamaged)
                .orElseThrow()
                .state()
                .snapshot()
                .round();
    }

    private void addDamaged(String checkpoint, String problem) {
        damaged.add(checkpoint + ": " + problem);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("run/checkpoints"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    private Checkpoints checkpoints(String extraSettings) throws IOException {
        return new Checkpoints(settings(extraSettings), new Configuration());
    }

    private Settings settings(String extraSettings) {
        return SettingsReader.parse(
                "corpus.path = here, " + extraSettings + "\nrun.directory = \"" + folder.resolve("run") + "\"", "test");
    }

    static RunState state(int round, double validation) {
        RoundReport report = new RoundReport(
                round,
                9,
                2,
                1000L * round,
                0.75,
                validation,
                0.002,
                1.5,
                0.25,
                0.125,
                new TreeMap<>(Map.of(1, 0.5, 64, 1e-9)),
                9,
                8,
                Map.of("train", 1.0),
                Map.of());
        ReplicaState first = new ReplicaState(
                new RecurrentState(new float[] {1, 2}, new float[] {round}), new float[] {Float.MIN_VALUE});
        ReplicaState second = new ReplicaState(RecurrentState.ZERO, new float[0]);
        Snapshot snapshot = new Snapshot(
                new Weights(new float[] {0.1f, -0f, 3}, new float[] {4, 5, 6, 7}),
                new float[] {8, 9, 1e-30f},
                List.of(first, second),
                10 * round,
                2,
                3,
                round,
                1000L * round);
        return RunState.initial(snapshot).after(snapshot, report, 1);
    }
}
