package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes of one run: a second process is refused; if the first is killed, the next one resumes at once. */
@Tag("full")
class ResumeAfterKillIT {
    @TempDir
    private static Path folder;

    private static final SplittableRandom RANDOM = new SplittableRandom(11);

    @Test
    void aRunThatIsKilledDuringAdditionalEpochsResumes() throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(6000));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                corpus { path = "%1$s/text", validation = 0.05, test = 0, prepared = "%1$s/prepared" }
                model { hidden = 32, layers = 1, dropout = 0.1 }
                training { batch = 4, tbptt = 16, schedule = plateau, early-stopping = 9 }
                cluster { replicas = 2, averaging { every = 20, method = bmuf, updater = keep } }
                """
                        .formatted(folder));
        assertEquals(0, train("uninterrupted", 4).end().status());
        assertEquals(0, train("run", 2).end().status());
        byte[] before = Files.readAllBytes(folder.resolve("run/model/network.zip"));
        for (int kill = 0; kill < 4; kill++) {
            Unroll.Running running = train("run", 4);
            assertTrue(running.shows("  loss "), running.progress());
            if (kill == 0) {
                Unroll.Output second = train("run", 4).end();
                assertEquals(1, second.status(), second.err());
                String holder = "run is being written to by process "
                        + running.process().pid() + " on ";
                assertTrue(second.err().contains(holder), second.err());
            }
            Thread.sleep(RANDOM.nextInt(1500));
            running.kill();
            assertEquals(
                    java.util.Arrays.hashCode(before),
                    java.util.Arrays.hashCode(Files.readAllBytes(folder.resolve("run/model/network.zip"))));
        }

        Unroll.Output output = train("run", 4).end();

        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round "), output.err());
        assertEquals(
                -1,
                Files.mismatch(
                        folder.resolve("uninterrupted/model/network.zip"), folder.resolve("run/model/network.zip")));
    }

    private static Unroll.Running train(String run, int epochs) throws IOException {
        return new Unroll(folder)
                .start(
                        "--master",
                        "local[2]",
                        "--conf",
                        "spark.ui.enabled=false",
                        "train",
                        folder.resolve("run.conf").toString(),
                        "run.directory=" + folder.resolve(run),
                        "training.epochs=" + epochs);
    }
}
