package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    /**
     * Of the texts with an m, a quarter has the rare label: as likely as the common one if classes are balanced. A weight of 0
     * takes wrong labels out.
     */
    @Test
    void weightsAreKeptByAKilledRun() throws Exception {
        StringBuilder rows = new StringBuilder("text,label,w\n");
        for (int i = 0; i < 4000; i++) {
            String text = RANDOM.nextInt(1000, 100_000) + (i % 10 == 0 ? "m" : "q");
            rows.append(text).append(i % 40 == 0 ? ",rare,1\n" : ",common,1\n");
            rows.append(i % 100 == 0 ? text + "q,rare,0\n" : "");
        }
        Files.writeString(folder.resolve("rows.csv"), rows);
        Files.writeString(folder.resolve("new.csv"), "text\n120m\n131q\n");
        Files.writeString(
                folder.resolve("run.conf"),
                """
                task = classification
                corpus { path = "%1$s/rows.csv", validation = 0.1, test = 0, prepared = "%1$s/prepared-rows" }
                model { hidden = 16, layers = 1, recurrence = steps }
                training { batch = 8, early-stopping = 9, learning-rate = 0.01 }
                cluster { replicas = 2, averaging.every = 20 }
                """
                        .formatted(folder));
        String[] weighted = {"corpus.columns.weight=w", "corpus.balance-classes=true"};
        assertEquals(0, train("whole", 4, weighted).end().status());
        for (int kill = 0; kill < 2; kill++) {
            Unroll.Running running = train("killed", 4, weighted);
            assertTrue(running.shows("  loss "), running.progress());
            Thread.sleep(RANDOM.nextInt(1000));
            running.kill();
        }
        Unroll.Output output = train("killed", 4, weighted).end();
        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round "), output.err());
        assertEquals(
                -1,
                Files.mismatch(folder.resolve("whole/model/network.zip"), folder.resolve("killed/model/network.zip")));
        assertEquals(0, train("only-weights", 4, weighted[0]).end().status());
        assertEquals(List.of("120m,rare", "131q,common"), predictions("killed"));
        assertEquals(List.of("120m,common", "131q,common"), predictions("only-weights"));
    }

    /** @return the predictions for rows that have no weights */
    private static List<String> predictions(String run) throws IOException {
        Path out = folder.resolve(run + "-predicted");
        Unroll.Output output = InProcess.unroll(
                "predict",
                folder.resolve(run).toString(),
                folder.resolve("new.csv").toString(),
                "--out",
                out.toString(),
                "--format",
                "csv");
        assertEquals(0, output.status(), output.err());
        List<String> rows = new ArrayList<>();
        try (var files = Files.newDirectoryStream(out, "*.csv")) {
            for (Path file : files) {
                rows.addAll(Files.readAllLines(file));
            }
        }
        return rows.stream()
                .filter(row -> !row.startsWith("text,"))
                .map(row -> String.join(",", List.of(row.split(",")).subList(0, 2)))
                .sorted()
                .toList();
    }

    private static Unroll.Running train(String run, int epochs, String... settings) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--master",
                "local[2]",
                "--conf",
                "spark.ui.enabled=false",
                "train",
                folder.resolve("run.conf").toString(),
                "run.directory=" + folder.resolve(run),
                "training.epochs=" + epochs));
        arguments.addAll(List.of(settings));
        return new Unroll(folder).start(arguments.toArray(String[]::new));
    }
}
