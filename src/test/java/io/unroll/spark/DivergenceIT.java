package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.config.UnrollException;
import io.unroll.train.UniformLoss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Detects divergence by losses that are finite but far too large. */
class DivergenceIT {
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

    private static String settings(String run, String task, String corpus, String more) {
        return """
                run.directory = "%1$s/%2$s", task = %3$s
                corpus { path = "%1$s/%4$s", prepared = "%1$s/prepared", validation = 0.2, test = 0 }
                model { hidden = 32, layers = 1 }
                training { epochs = 3, batch = 8, tbptt = 16 }
                """
                        .formatted(folder, run, task, corpus)
                + more;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "language-model | text      | training { optimizer = adam, learning-rate = 30 }",
                "language-model | text      | training { optimizer = sgd, learning-rate = 1e8, clip-norm = 0 }",
                "language-model | text      | training { optimizer = sgd, learning-rate = 1e5, clip-norm = 0 }, corpus.validation = 0",
                "classification | rows.csv  | training { optimizer = adam, learning-rate = 300 }",
                "classification | rows.csv  | training { optimizer = sgd, learning-rate = 1e8, clip-norm = 0 }",
                "seq2seq        | rows.csv  | corpus.columns { source = text, target = label }, training.learning-rate = 30",
            })
    void stopsADivergingRun(String task, String corpus, String more) {
        String name = task + Integer.toHexString(more.hashCode());
        String message = assertThrows(UnrollException.class, () -> runs.train(settings(name, task, corpus, more)))
                .getMessage();

        assertTrue(
                message.matches("training diverged in round \\d+, .* nats \\(a uniform distribution has .*"), message);
        assertTrue(message.contains("Lower training.learning-rate"), message);
        assertFalse(Files.exists(folder.resolve(name + "/model")));
    }

    @Test
    void keepsTheLastGoodModel() {
        String more = "training { optimizer = adam, learning-rate = 30 }, cluster.averaging.every = 1";
        String message = assertThrows(
                        UnrollException.class, () -> runs.train(settings("good", "language-model", "text", more)))
                .getMessage();

        assertTrue(message.contains("is kept in " + folder + "/good/last-good"), message);
        var kept = new ModelFolder(folder + "/good/last-good", Session.submittedHadoopConfiguration()).read();
        assertFalse(UniformLoss.of(kept.shape()).isDiverged(kept.manifest().trainingLoss()));
    }

    /** A rare label, a warm start on text that is unlikely under the model, and a run that resumes for more epochs. */
    @Test
    void doesNotStopHealthyRuns() throws IOException {
        StringBuilder rare = new StringBuilder("label,text\n");
        for (int i = 0; i < 300; i++) {
            rare.append(i % 100 == 0 ? "yes," : "no,").append(i).append("\n");
        }
        Files.writeString(folder.resolve("rare.csv"), rare);
        runs.train(settings("rare", "classification", "rare.csv", "training.learning-rate = 0.05"));
        runs.train(settings("sure", "language-model", "text", "training { epochs = 12, learning-rate = 0.02 }"));
        Files.writeString(folder.resolve("backwards"), new StringBuilder(SampleText.lines(100)).reverse());
        String start = "training.start-from = \"" + folder + "/sure/model\"";
        runs.train(settings("backwards-run", "language-model", "backwards", start));
        assertEquals(
                5,
                runs.train(settings("backwards-run", "language-model", "backwards", start + ", training.epochs = 5"))
                        .manifest()
                        .epochs());
    }
}
