package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A training that is refused leaves nothing behind, and no command takes what is there for a stopped training. */
class RefusedTrainIT {
    @TempDir
    private static Path folder;

    private static Path conf;

    @BeforeAll
    static void train() throws IOException {
        Files.writeString(folder.resolve("text"), "the cat sat on the mat\n".repeat(60));
        Files.writeString(folder.resolve("euro"), "the cat sat on the mat\n".repeat(60) + "€");
        Files.writeString(folder.resolve("empty"), "");
        Files.writeString(folder.resolve("same"), "a".repeat(500));
        Files.write(folder.resolve("latin1"), "Ein Café".getBytes(StandardCharsets.ISO_8859_1));
        Files.writeString(folder.resolve("rows.csv"), "text,label\n" + "a,x\nb,y\n".repeat(20));
        Files.writeString(folder.resolve("bad.csv"), "text,label\na,x\nb\n");
        conf = folder.resolve("run.conf");
        Files.writeString(
                conf,
                """
                run.directory = "%1$s/deep/run"
                corpus { path = "%1$s/text", validation = 0, test = 0 }
                model { hidden = 4, layers = 1, cell = rnn }
                training { epochs = 1, batch = 2, tbptt = 4 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        assertEquals(
                0,
                InProcess.unroll("train", conf.toString(), "run.directory=" + folder.resolve("model-of"))
                        .status());
    }

    @ParameterizedTest
    @CsvSource({
        "train,    corpus.path=FOLDER/none",
        "train,    corpus.path=FOLDER/empty",
        "train,    corpus.path=FOLDER/same",
        "train,    corpus.path=FOLDER/latin1",
        "train,    corpus.path=FOLDER/latin1 corpus.prepared=FOLDER/deep/prepared",
        "train,    corpus.path=FOLDER/euro training.start-from=FOLDER/model-of",
        "train,    training.start-from=FOLDER/none",
        "train,    training.start-from=FOLDER/model-of model.hidden=5",
        "train,    cluster.threads=64",
        "train,    task=classification corpus.path=FOLDER/bad.csv",
        "train,    task=classification corpus.path=FOLDER/rows.csv corpus.columns.label=none",
        "train,    task=seq2seq corpus.path=FOLDER/rows.csv",
        "train,    task=captioning corpus.path=FOLDER/rows.csv corpus.images=FOLDER",
        "prepare,  corpus.path=FOLDER/latin1",
        "prepare,  corpus.path=FOLDER/euro training.start-from=FOLDER/model-of",
        "prepare,  task=classification corpus.path=FOLDER/bad.csv",
    })
    void aRefusedCommandLeavesNothingBehind(String command, String settings) {
        List<String> arguments = new ArrayList<>(List.of(command, conf.toString()));
        arguments.addAll(List.of(settings.replace("FOLDER", folder.toString()).split(" ")));

        Output output = InProcess.unroll(arguments.toArray(String[]::new));

        assertNotEquals(0, output.status(), output.out());
        assertFalse(Files.exists(folder.resolve("deep")), output.err());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "generate DIRECTORY",
                "evaluate DIRECTORY TEXT",
                "inspect DIRECTORY TEXT",
                "publish DIRECTORY X TEXT"
            })
    void aDirectoryWithoutModelAndCheckpointsIsNotAStoppedRun(String template) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("directory"));

        Output output = InProcess.unroll(template.replace("DIRECTORY", directory.toString())
                .replace("TEXT", folder.resolve("text").toString())
                .replace("X", folder.resolve("published").toString())
                .split(" "));

        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().contains("There is no model or checkpoint there"), output.err());
        assertFalse(output.err().contains("resume"), output.err());
        assertFalse(Files.exists(folder.resolve("published")));
    }

    /** A refusal changes no file of a run that exists. */
    @Test
    void aRefusedCommandKeepsWhatIsThere() throws IOException {
        Path kept = Files.createDirectories(folder.resolve("kept/run"));

        Output output = InProcess.unroll(
                "train", conf.toString(), "corpus.path=" + folder.resolve("none"), "run.directory=" + kept);

        assertEquals(2, output.status(), output.err());
        assertTrue(Files.isDirectory(kept));
    }
}
