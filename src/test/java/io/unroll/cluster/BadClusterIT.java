package io.unroll.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import io.unroll.kernel.OneDnn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On unsuitable clusters, training fails with one sentence that says why. */
@Tag("full")
class BadClusterIT {
    @TempDir
    private Path folder;

    @Test
    void failsOnAWorkerWithoutTheNativeLibraries() throws Exception {
        assertFails(
                "the native libraries do not load on ",
                Map.of("JAVA_TOOL_OPTIONS", "-Dorg.bytedeco.javacpp.platform=linux-arm64"),
                List.of());
    }

    @Test
    void failsIfOnlySomeProcessorsHaveBfloat16() throws Exception {
        assumeTrue(OneDnn.hasBfloat16(), "this processor does not have bfloat16");
        assertFails(
                " computes in bfloat16, and that of ",
                Map.of("ONEDNN_MAX_CPU_ISA", "AVX512_CORE"),
                List.of(),
                "model.precision=bfloat16",
                "cluster.replicas=4");
    }

    @Test
    void failsIfTheHeapOfTheExecutorsIsTooSmall() throws Exception {
        assertFails(
                " MiB: give executors more, as in --executor-memory 1g",
                Map.of(),
                List.of("--executor-memory", "500m"),
                "model.hidden=1024",
                "training.batch=1",
                "training.tbptt=4");
    }

    private void assertFails(
            String sentence, Map<String, String> secondWorkerEnvironment, List<String> options, String... settings)
            throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(500));
        Files.writeString(
                folder.resolve("conf"),
                """
                corpus { path = "%1$s/text", validation = 0, test = 0 }
                model { hidden = 32, layers = 2 }
                training { epochs = 20, batch = 2, tbptt = 16 }
                cluster { replicas = 2 }
                run.directory = "%1$s/run"
                """
                        .formatted(folder));
        try (Standalone cluster = Standalone.start(folder)) {
            cluster.worker();
            cluster.worker(secondWorkerEnvironment);
            List<String> command = new ArrayList<>(List.of("--master", cluster.address(), "--executor-memory", "768m"));
            command.addAll(List.of("--conf", "spark.scheduler.minRegisteredResourcesRatio=1", "--driver-memory", "3g"));
            command.addAll(options);
            command.addAll(List.of("train", folder.resolve("conf").toString()));
            command.addAll(List.of(settings));
            Unroll.Output output = new Unroll(folder).run(command.toArray(String[]::new));
            assertEquals(1, output.status(), output.err());
            assertTrue(output.err().contains(sentence), output.err());
            // Spark may print stack traces of its threads while it stops.
            assertFalse(output.err().contains("\tat io.unroll."), output.err());
        }
    }
}
