package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the command line as users do: the script {@code jobs/unroll}, the built jar and Spark, in a new process. */
class LaunchIT {
    @TempDir
    private static Path folder;

    private static Path conf;
    private static Output trained;

    @BeforeAll
    static void train() throws Exception {
        conf = CommandLineIT.writeRun(folder);
        trained = unroll("--master", "local[2]", "train", conf.toString(), "--json");
    }

    @Test
    void trainingShowsProgressAndPublishesAModel() throws Exception {
        assertEquals(0, trained.status(), trained.err());
        assertTrue(trained.err().contains("3 replicas x 4 lanes"), trained.err());
        assertTrue(trained.err().matches("(?s).*round 12/\\d+  epoch 3  loss [0-9.]+.*"), trained.err());
        assertFalse(trained.err().contains("\tat "), trained.err());
        assertTrue(trained.json().get("validation_loss").asDouble() < 1.2, trained.out());
        assertEquals(300, trained.json().get("sample").asText().codePoints().count());
    }

    /** Covers gradient clipping, and a different number of cores that ND4J sees on the driver and on an executor. */
    @Test
    void aClusterWritesTheSameBytes() throws Exception {
        Output again = unroll("--master", "local-cluster[2,1,2048]", "train", conf.toString(), "run.directory=cluster");

        assertEquals(0, again.status(), again.err());
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("run/model/network.zip")),
                Files.readAllBytes(folder.resolve("cluster/model/network.zip")));
    }

    @Test
    void generatePrintsOnlyTheGeneratedText() throws Exception {
        String[] arguments = {"generate", folder.resolve("run").toString(), "--prompt", "ein Mann saß", "--length", "60"
        };

        Output output = unroll(arguments);

        assertEquals(0, output.status(), output.err());
        assertEquals(InProcess.unroll(arguments).out(), output.out());
        assertEquals("", output.err());
    }

    /** The environment variable hides the bfloat16 instructions from oneDNN. */
    @Test
    @Tag("full")
    void aProcessorWithoutBfloat16TrainsInFloat32WithAMessage() throws Exception {
        Output training = unroll(
                Map.of("ONEDNN_MAX_CPU_ISA", "AVX512_CORE"),
                "train",
                conf.toString(),
                "model.precision=bfloat16",
                "training.epochs=1",
                "run.directory=" + folder.resolve("no-bfloat16"));

        assertEquals(0, training.status(), training.err());
        assertTrue(training.err().contains("no bfloat16 instructions: training in float32"), training.err());
    }

    @Test
    void anOptionOfACommandMustComeAfterTheCommand() throws Exception {
        Output output = unroll("--json", "train", conf.toString());

        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().contains("--json must come after the command"), output.err());
    }

    private static Output unroll(String... arguments) throws IOException, InterruptedException {
        return unroll(Map.of(), arguments);
    }

    private static Output unroll(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        return new Unroll(folder).with(environment).run(arguments);
    }
}
