package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands other than train overwrite no files of the user; train warns of a model that is worse than chance. */
class SafeCommandsIT {
    private static final String USER_CONTENT = "years of work";

    @TempDir
    private static Path folder;

    private static Output trained;

    @BeforeAll
    static void train() throws IOException {
        Files.writeString(folder.resolve("text"), SampleText.lines(100));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/text", validation = 0.1, test = 0 }
                model { hidden = 8, layers = 1 }
                training { epochs = 1, batch = 2, tbptt = 16, optimizer = sgd, learning-rate = 30, clip-norm = 0 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        trained = InProcess.unroll("train", folder.resolve("run.conf").toString(), "--json");
        assertEquals(0, trained.status(), trained.err());
    }

    @Test
    void trainWarnsOfAModelThatIsWorseThanChance() throws IOException {
        double loss = trained.json().get("validation_loss").asDouble();
        assertTrue(loss > Math.log(17), "with these settings the model is no longer worse than chance: " + loss);
        String warning = trained.json().get("warning").asText();
        assertTrue(warning.startsWith("the model predicts worse than a uniform distribution: its validation loss"));
        assertTrue(trained.err().contains("unroll: warning: " + warning), trained.err());

        Output good = InProcess.unroll(
                "train",
                folder.resolve("run.conf").toString(),
                "run.directory=" + folder.resolve("good"),
                "training.optimizer=adam",
                "training.learning-rate=0.01",
                "--json");
        assertTrue(good.json().get("warning").isNull(), good.out());
        assertFalse(good.err().contains("warning"), good.err());
    }

    @ParameterizedTest
    @CsvSource({
        "target/README.md, README.md",
        "target/network.zip, network.zip",
        ".target-old-mine/notes, notes",
        ".target-draft-mine/notes, notes",
        ".target-lock, .target-lock",
    })
    void publishReplacesNoFileThatUnrollDidNotWrite(String foreignFile, String nameInMessage) throws IOException {
        FileUtils.deleteQuietly(folder.resolve("place").toFile());
        FileUtils.copyDirectory(
                folder.resolve("run/model").toFile(),
                folder.resolve("place/target").toFile());
        Path file = folder.resolve("place").resolve(foreignFile);
        Files.createDirectories(file.getParent());
        Files.writeString(file, USER_CONTENT);
        byte[] manifest = Files.readAllBytes(folder.resolve("place/target/manifest.json"));

        Output output = InProcess.unroll(
                "publish",
                folder.resolve("run").toString(),
                folder.resolve("place/target").toString(),
                folder.resolve("text").toString());

        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().contains("/" + nameInMessage + " was not made by Unroll"), output.err());
        assertEquals(USER_CONTENT, Files.readString(file));
        assertEquals(
                new String(manifest, java.nio.charset.StandardCharsets.UTF_8),
                Files.readString(folder.resolve("place/target/manifest.json")));
    }

    @Test
    void otherFilesInTheFolderOfAModelAreNotPublished() throws IOException {
        FileUtils.copyDirectory(
                folder.resolve("run/model").toFile(), folder.resolve("copy").toFile());
        Files.writeString(folder.resolve("copy/README.md"), USER_CONTENT);
        String[] arguments = {
            "publish",
            folder.resolve("copy").toString(),
            folder.resolve("public").toString(),
            folder.resolve("text").toString()
        };

        assertEquals(0, InProcess.unroll(arguments).status());
        assertFalse(Files.exists(folder.resolve("public/README.md")));
        Output again = InProcess.unroll(arguments);
        assertTrue(again.out().contains("already published"), again.out() + again.err());
    }

    @Test
    void inspectOverwritesReportsOnly() throws IOException {
        Path page = Files.writeString(folder.resolve("page.html"), "<html>" + USER_CONTENT);
        Output refused = inspect(page);
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains("page.html, which exists and is not an Unroll report"), refused.err());
        assertEquals("<html>" + USER_CONTENT, Files.readString(page));

        Path report = Files.createFile(folder.resolve("report.html"));
        for (int attempt = 0; attempt < 2; attempt++) {
            Output written = inspect(report);
            assertEquals(0, written.status(), written.err());
            assertTrue(Files.size(report) > 1000);
        }
    }

    private static Output inspect(Path out) {
        return InProcess.unroll(
                "inspect",
                folder.resolve("run").toString(),
                folder.resolve("text").toString(),
                "--tokens=50",
                "--out",
                out.toString());
    }
}
