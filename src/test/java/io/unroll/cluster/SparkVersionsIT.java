package io.unroll.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run that is killed on Spark 3.5.5 resumes on 4.0.1, and then on 4.2.0 with Java 25, with the same jar and the same
 * weights, bit for bit.
 */
@Tag("nightly")
class SparkVersionsIT {
    @TempDir
    private static Path folder;

    @Test
    void aRunIsFinishedOnOtherVersionsWithTheSameBits() throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(6000));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                corpus { path = "%1$s/text", validation = 0.05, test = 0, prepared = "%1$s/prepared" }
                model { hidden = 32, layers = 1, dropout = 0.1 }
                training { epochs = 3, batch = 4, tbptt = 16 }
                cluster { replicas = 2, averaging { every = 20, updater = keep } }
                """
                        .formatted(folder));
        assertEquals(0, train("whole", Map.of()).end().status());

        killAfter("round 5/", train("run", Map.of()));
        Unroll.Running onSpark4 = train("run", Map.of("SPARK_HOME", sparkHome("4.0.1")));
        killAfter("round 12/", onSpark4);
        assertTrue(onSpark4.progress().contains("resuming after round"), onSpark4.progress());
        Path java25 = java25().orElseGet(() -> abort("there is no JDK 25 for Spark 4.2.0"));
        Unroll.Output output = train("run", Map.of("SPARK_HOME", sparkHome("4.2.0"), "JAVA_HOME", java25.toString()))
                .end();

        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("resuming after round 1"), output.err());
        assertEquals(
                -1, Files.mismatch(folder.resolve("whole/model/network.zip"), folder.resolve("run/model/network.zip")));
    }

    private static Unroll.Running train(String run, Map<String, String> environment) throws IOException {
        return new Unroll(folder)
                .with(environment)
                .start("--master", "local[2]", "train", "run.conf", "run.directory=" + folder.resolve(run));
    }

    private static void killAfter(String round, Unroll.Running running) throws InterruptedException {
        assertTrue(running.shows(round), running.progress());
        running.process().descendants().forEach(ProcessHandle::destroyForcibly);
        running.process().destroyForcibly().waitFor();
    }

    /** @return a folder with the jars of a version of Spark and a script that starts it */
    private static String sparkHome(String version) throws IOException, InterruptedException {
        Path home = folder.resolve("spark-" + version);
        Process maven = new ProcessBuilder(
                        "mvn",
                        "-q",
                        "-B",
                        "-Pspark4",
                        "-Dspark.version=" + version,
                        "dependency:copy-dependencies",
                        "-DincludeScope=provided",
                        "-DexcludeScope=compile",
                        "-DoutputDirectory=" + home.resolve("jars"))
                .inheritIO()
                .start();
        assertEquals(0, maven.waitFor());
        Path submit = Files.createDirectories(home.resolve("bin")).resolve("spark-submit");
        Files.writeString(
                submit,
                """
                #!/bin/sh
                exec "${JAVA_HOME:-%s}/bin/java" @%s -cp "%s/jars/*" org.apache.spark.deploy.SparkSubmit "$@"
                """
                        .formatted(
                                System.getProperty("java.home"),
                                Path.of("target/spark/java-options").toAbsolutePath(),
                                home));
        assertTrue(submit.toFile().setExecutable(true));
        return home.toString();
    }

    /** @return a JDK 25: JAVA_HOME_25_X64, as CI services name it, or one beside the JDK of the test */
    private static Optional<Path> java25() throws IOException {
        Path ofTest = Path.of(System.getProperty("java.home"));
        try (Stream<Path> others = Files.list(ofTest.getParent())) {
            Stream<Path> named =
                    Stream.ofNullable(System.getenv("JAVA_HOME_25_X64")).map(Path::of);
            return Stream.concat(named, others.sorted())
                    .filter(SparkVersionsIT::isJava25)
                    .findFirst();
        }
    }

    private static boolean isJava25(Path home) {
        try {
            return Files.readString(home.resolve("release")).contains("JAVA_VERSION=\"25");
        } catch (IOException e) {
            return false;
        }
    }
}
