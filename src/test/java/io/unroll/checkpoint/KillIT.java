package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.SampleText;
import io.unroll.Unroll;
import io.unroll.cli.InProcess;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.commons.lang3.ArrayUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills driver and executors at random moments with SIGKILL; the resumed run must end with bit-identical weights. */
class KillIT {
    private static final String CLUSTER = "local-cluster[2,1,1024]";

    @TempDir
    private static Path folder;

    private static final SplittableRandom RANDOM = new SplittableRandom(11);

    private static final ObjectMapper JSON = new ObjectMapper();

    private static Path conf;
    private static int rounds;

    @BeforeAll
    static void train() throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(6000));
        conf = folder.resolve("run.conf");
        Files.writeString(
                conf,
                """
                corpus { path = "%1$s/text", validation = 0.05, test = 0, prepared = "%1$s/prepared" }
                model { hidden = 32, layers = 1, dropout = 0.1 }
                training { epochs = 3, batch = 4, tbptt = 16, schedule = linear, early-stopping = 3 }
                cluster { replicas = 3, averaging { every = 20, method = bmuf, updater = keep } }
                """
                        .formatted(folder));
        Unroll.Output uninterrupted = InProcess.unroll(command("uninterrupted"));
        assertEquals(0, uninterrupted.status(), uninterrupted.err());
        rounds = Files.readAllLines(folder.resolve("uninterrupted/metrics.jsonl"))
                .size();
        assertTrue(rounds > 70, "too few rounds to kill the run between them");
    }

    @Test
    void resumesAfterTheDriverIsKilled() throws Exception {
        assertSameWeightsAfterKills(1, "killed");
    }

    @Test
    @Tag("full")
    void resumesAfterTheDriverIsKilledSevenTimes() throws Exception {
        assertSameWeightsAfterKills(7, "killed-often");
    }

    private static void assertSameWeightsAfterKills(int kills, String run) throws Exception {
        for (int kill = 0; kill < kills; kill++) {
            Unroll.Running running = start("local[2]", run);
            awaitSomeRounds(running, run);
            running.kill();
        }
        assertEndsWithTheSameWeights(start("local[2]", run), run);
    }

    @Test
    @Tag("full")
    void resumesAfterExecutorsAndTheDriverAreKilledThreeTimes() throws Exception {
        for (int kill = 0; kill < 3; kill++) {
            Unroll.Running running = start(CLUSTER, "cluster");
            awaitSomeRounds(running, "cluster");
            running.executors().get(kill % 2).destroyForcibly();
            Thread.sleep(RANDOM.nextInt(1500));
            running.kill();
        }
        Unroll.Running running = start(CLUSTER, "cluster");
        awaitSomeRounds(running, "cluster");
        running.executors().get(0).destroyForcibly();
        assertEndsWithTheSameWeights(running, "cluster");
    }

    @Test
    @Tag("full")
    void skipsADamagedCheckpointAndRejectsChangedSettings() throws Exception {
        Unroll.Running running = start("local[2]", "damaged");
        // A round ends after the checkpoint of the previous round is written, so there are two checkpoints.
        assertTrue(running.shows("round 3/"), running.progress());
        running.kill();
        Path newest = checkpoints("damaged").get(0);
        byte[] bytes = Files.readAllBytes(newest);
        bytes[bytes.length / 2]++;
        Files.write(newest, bytes);

        Unroll.Output refused = InProcess.unroll(command("damaged", "training.learning-rate=0.003"));
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains("training.learning-rate is 0.003, and was 0.002"), refused.err());

        Unroll.Running resumed = start("local[2]", "damaged");
        assertEndsWithTheSameWeights(resumed, "damaged");
        assertTrue(resumed.progress().contains(newest.getFileName() + " is damaged"), resumed.progress());
    }

    /** Waits for a round and a checkpoint, which is written while the next round trains. */
    private static void awaitSomeRounds(Unroll.Running running, String run) throws InterruptedException {
        assertTrue(running.shows("  loss "), running.progress());
        assertTrue(Unroll.Running.await(() -> !checkpoints(run).isEmpty()), running.progress());
        Thread.sleep(RANDOM.nextInt(600));
    }

    private static void assertEndsWithTheSameWeights(Unroll.Running running, String run) throws Exception {
        Unroll.Output output = running.end();
        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round "), output.err());
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("uninterrupted/model/network.zip")),
                Files.readAllBytes(folder.resolve(run + "/model/network.zip")));
        List<String> metrics = Files.readAllLines(folder.resolve(run + "/metrics.jsonl"));
        assertEquals(rounds, metrics.size());
        for (int i = 0; i < metrics.size(); i++) {
            assertEquals(i + 1, JSON.readTree(metrics.get(i)).get("round").asInt());
        }
    }

    /** @return the checkpoint files, newest first; empty before the first is written */
    private static List<Path> checkpoints(String run) {
        File[] files =
                folder.resolve(run + "/checkpoints").toFile().listFiles((parent, name) -> name.startsWith("round-"));
        return Arrays.stream(ArrayUtils.nullToEmpty(files, File[].class))
                .map(File::toPath)
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    private static Unroll.Running start(String master, String run) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--master", master));
        arguments.addAll(List.of(command(run)));
        return new Unroll(folder).start(arguments.toArray(String[]::new));
    }

    private static String[] command(String run, String... extraArguments) {
        List<String> arguments =
                new ArrayList<>(List.of("train", conf.toString(), "run.directory=" + folder.resolve(run)));
        arguments.addAll(List.of(extraArguments));
        return arguments.toArray(String[]::new);
    }
}
