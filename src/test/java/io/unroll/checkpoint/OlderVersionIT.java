package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.Unroll;
import io.unroll.cli.InProcess;
import io.unroll.inference.Scorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What version 0.1 has written: a model folder, and a run that was killed after its sixth round. */
class OlderVersionIT {
    private static final Path WRITTEN = Path.of("src/test/resources/io/unroll/checkpoint/version-0.1");

    @TempDir
    private Path folder;

    @Test
    void aModelFolderIsRead() throws IOException {
        try (Scorer scorer = Scorer.load(WRITTEN.resolve("model").toString())) {
            assertEquals(0.80170, scorer.score("open close read write").score(), 1e-4);
            assertEquals(1.22043, scorer.score("disk disk hose").score(), 1e-4);
        }
    }

    @Test
    void aRunIsFinished() throws Exception {
        FileUtils.copyDirectory(
                WRITTEN.resolve("run").toFile(), folder.resolve("run").toFile());
        Files.writeString(
                folder.resolve("run.conf"),
                """
                corpus { path = "%s", prepared = "%s/prepared", validation = 0.1, test = 0.1 }
                model { hidden = 8, layers = 1 }
                training { epochs = 2, batch = 4, tbptt = 16, learning-rate = 0.02 }
                cluster { replicas = 2, averaging.every = 8 }
                """
                        .formatted(WRITTEN.resolve("text").toAbsolutePath(), folder));
        Unroll.Output output = InProcess.unroll(
                "train", folder.resolve("run.conf").toString(), "run.directory=" + folder.resolve("run"));
        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round 6"), output.err());
        // The loss of the run that was not killed. Other processors round differently.
        assertEquals(loss(WRITTEN.resolve("model")), loss(folder.resolve("run/model")), 0.01);
    }

    private static double loss(Path model) throws IOException {
        return new ObjectMapper()
                .readTree(model.resolve("manifest.json").toFile())
                .get("validationLoss")
                .asDouble();
    }
}
