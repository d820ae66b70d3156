package io.unroll.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fits in processes of their own: on a cluster, killed and repeated, and applied by another process. */
@Tag("full")
class FitProcessIT {
    private static final String CLUSTER = "local-cluster[2,1,1024]";

    @TempDir
    private static Path folder;

    private static Path jar;

    @BeforeAll
    static void packageApplication() throws IOException {
        jar = folder.resolve("application.jar");
        String name = FitApplication.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(name));
            out.write(Files.readAllBytes(Path.of("target/test-classes", name)));
        }
    }

    private static Unroll.Running start(String master, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("--master", master, "--jars", jar.toString()));
        command.addAll(List.of("--class", FitApplication.class.getName()));
        command.addAll(List.of(arguments));
        return new Unroll(folder).start(command.toArray(String[]::new));
    }

    private static List<String> scores(String file) throws IOException {
        return Files.readAllLines(folder.resolve(file));
    }

    private static void assertSucceeds(Unroll.Running running) throws Exception {
        Unroll.Output output = running.end();
        assertEquals(0, output.status(), output.err());
    }

    @Test
    void aClusterNeedsCheckpointDir() throws Exception {
        Unroll.Output refused =
                start(CLUSTER, "fit", "refused", "refused-scores", "1").end();
        assertNotEquals(0, refused.status());
        assertTrue(
                refused.err()
                        .contains("is not set, and the master is " + CLUSTER + ": set it to a folder in a file system"),
                refused.err());

        assertSucceeds(start(CLUSTER, "fit", path("pipeline"), path("scores"), "1", path("cluster")));
        assertEquals(3000, scores("scores").size());
        assertSucceeds(start("local[2]", "apply", path("pipeline"), path("local-scores"), "1"));
        assertEquals(scores("scores"), scores("local-scores"));
        Unroll.Output inspected =
                new Unroll(folder).run("generate", stage("pipeline").toString(), "--prompt", "job ", "--length", "20");
        assertEquals(0, inspected.status(), inspected.err());
        assertTrue(inspected.out().startsWith("job "), inspected.out());
    }

    @Test
    void aKilledFitResumes() throws Exception {
        assertSucceeds(start("local[2]", "fit", path("whole"), path("whole-scores"), "3"));
        for (int kill = 0; kill < 2; kill++) {
            Unroll.Running running = start("local[2]", "fit", path("killed"), path("killed-scores"), "3", path("runs"));
            int rounds = 4 * (kill + 1);
            assertTrue(Unroll.Running.await(
                    () -> metrics().size() >= rounds || !running.process().isAlive()));
            running.kill();
        }
        List<String> before = metrics();
        assertSucceeds(start("local[2]", "fit", path("killed"), path("killed-scores"), "3", path("runs")));
        List<String> after = metrics();
        assertTrue(after.size() > before.size() + 4, after.size() + " rounds");
        // The metrics contain times, which are those of the first process if its rounds were not trained again.
        assertEquals(before.subList(0, 6), after.subList(0, 6));
        assertEquals(scores("whole-scores"), scores("killed-scores"));
        assertEquals(
                -1,
                Files.mismatch(
                        stage("whole").resolve("model/network.zip"),
                        stage("killed").resolve("model/network.zip")));
    }

    private static String path(String name) {
        return folder.resolve(name).toString();
    }

    /** @return the folder of the only stage of a pipeline */
    private static Path stage(String pipeline) throws IOException {
        try (Stream<Path> stages = Files.list(folder.resolve(pipeline + "/stages"))) {
            return stages.findFirst().orElseThrow();
        }
    }

    /** @return the metrics of the rounds of the only run; empty before the first one */
    private static List<String> metrics() {
        Path runs = folder.resolve("runs");
        if (!Files.exists(runs)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(runs)) {
            List<Path> metrics =
                    files.filter(file -> file.endsWith("metrics.jsonl")).toList();
            return metrics.isEmpty() ? List.of() : Files.readAllLines(metrics.get(0));
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }
}
