package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A score command that is killed leaves nothing that looks whole, and can be repeated. */
@Tag("full")
class KillScoreIT {
    private static final int ROWS = 200_000;

    @TempDir
    private Path folder;

    @Test
    void leavesNothingThatLooksWhole() throws Exception {
        String rows = IntStream.range(0, ROWS)
                .mapToObj(i -> "job " + i % 997 + " started after " + i % 13 + " seconds")
                .collect(Collectors.joining("\n"));
        Files.writeString(folder.resolve("rows.txt"), rows);
        Files.writeString(folder.resolve("few.txt"), rows.substring(0, 20_000));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/few.txt", format = lines, documents = reset }
                model { hidden = 64, layers = 1 }
                training.epochs = 1
                cluster.replicas = 1
                """
                        .formatted(folder));
        Unroll.Output trained =
                InProcess.unroll("train", folder.resolve("run.conf").toString());
        assertEquals(0, trained.status(), trained.err());

        Path scored = folder.resolve("scored");
        Unroll.Output before = InProcess.unroll(
                "score",
                folder.resolve("run").toString(),
                query("few.txt"),
                "corpus.format=auto",
                "corpus.columns.text=value",
                "--out",
                scored.toString(),
                "--partition-by",
                "dt",
                "--format",
                "json");
        assertEquals(0, before.status(), before.err());
        assertTrue(Files.exists(scored.resolve("_SUCCESS")));
        long rowsBefore = rows(scored);
        assertEquals(Files.readAllLines(folder.resolve("few.txt")).size(), rowsBefore);

        String[] score = {
            "--master",
            "local[2]",
            "score",
            "run",
            query("rows.txt"),
            "corpus.format=auto",
            "corpus.columns.text=value",
            "--out",
            "scored",
            "--mode",
            "overwrite",
            "--partition-by",
            "dt",
            "--format",
            "json"
        };
        Unroll.Running running = new Unroll(folder).start(score);
        assertTrue(Unroll.Running.await(() -> isStaged(scored)), running.progress());
        running.kill();
        assertFalse(Files.exists(scored.resolve("_SUCCESS")));
        assertEquals(rowsBefore, rows(scored));

        Unroll.Output repeated = new Unroll(folder).run(score);
        assertEquals(0, repeated.status(), repeated.err());
        assertTrue(repeated.out().contains("rows            200,000"), repeated.out());
        assertTrue(Files.exists(scored.resolve("_SUCCESS")));
        assertEquals(200_000, rows(scored));
    }

    /** @return the number of lines in the files of results */
    private static long rows(Path scored) throws IOException {
        long rows = 0;
        try (var files = Files.newDirectoryStream(scored.resolve("dt=a"), "part-*.json")) {
            for (Path file : files) {
                try (Stream<String> lines = Files.lines(file)) {
                    rows += lines.count();
                }
            }
        }
        return rows;
    }

    private String query(String file) {
        return "corpus.query=SELECT value, 'a' AS dt FROM text.`" + folder.resolve(file) + "`";
    }

    /** @return whether Spark has begun to write */
    private static boolean isStaged(Path scored) {
        try (Stream<Path> files = Files.list(scored)) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith(".spark-staging"));
        } catch (IOException e) {
            return false;
        }
    }
}
