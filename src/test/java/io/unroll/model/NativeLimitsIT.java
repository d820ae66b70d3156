package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.config.UnrollException;
import io.unroll.spark.dl4j.UnrollTrainingMaster;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** JavaCPP's limits are lifted before the first native call, whichever class of Unroll a process uses first. */
class NativeLimitsIT {
    @ParameterizedTest
    @ValueSource(strings = {"a network's memory", "the processor", "an image network", "a training master"})
    void limitsAreLiftedBeforeTheFirstNativeCall(String first) throws Exception {
        assertEquals("0 0", run(first, "-Dnone"));
    }

    @Test
    void limitSetByTheUserIsKeptAndReportedInAdvance() throws Exception {
        assertEquals(
                "training takes about 1024 MiB of memory, but JavaCPP allows at most 700 MiB: start the JVM with"
                        + " -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 (executors with --conf"
                        + " spark.executor.extraJavaOptions=-Dorg.bytedeco.javacpp.maxPhysicalBytes=0).",
                run("a limit", "-Dorg.bytedeco.javacpp.maxPhysicalBytes=700m"));
    }

    private static String run(String first, String option) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        option,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Probe.class.getName(),
                        first)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.strip();
    }

    /** Main class of the processes; prints JavaCPP's limits in bytes. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) {
            switch (arguments[0]) {
                case "a network's memory" -> ReplicaMemory.bytes(shape(), 4, 4);
                case "the processor" -> Network.computesInBfloat16(
                        shape("precision = bfloat16").model());
                case "an image network" -> readImage();
                case "a limit" -> {
                    Natives.checkLimit(500L << 20);
                    checkLimit(1L << 30);
                    return;
                }
                default -> UnrollTrainingMaster.replicas(1).build();
            }
            System.out.println(Pointer.maxBytes() + " " + Pointer.maxPhysicalBytes());
        }

        private static void checkLimit(long bytes) {
            try {
                Natives.checkLimit(bytes);
            } catch (UnrollException e) {
                System.out.println(e.getMessage());
            }
        }

        private static void readImage() {
            try {
                FeatureExtractor.features("none.zip", "layer", new int[3], 1, new Configuration());
            } catch (UnrollException e) {
                // The file does not exist.
            }
        }

        private static NetworkShape shape(String... model) {
            return TestShapes.shape(5, "cell = lstm, hidden = 4" + (model.length == 0 ? "" : ", " + model[0]));
        }
    }
}
