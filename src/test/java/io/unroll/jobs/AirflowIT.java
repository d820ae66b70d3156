package io.unroll.jobs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.Unroll;
import io.unroll.Unroll.Output;
import io.unroll.cli.InProcess;
import io.unroll.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Airflow DAG: the commands that it submits, and their results. Needs Python, but not Airflow. */
class AirflowIT {
    private static final Path DAG = Path.of("jobs/airflow/unroll_nightly.py").toAbsolutePath();
    private static final Path DAG_READER =
            Path.of("src/test/python/submitted.py").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws Exception {
        assumeTrue(hasPython(), "needs python3");
        SplittableRandom random = new SplittableRandom(5);
        writeText("corpus/one.txt", 400, random);
        writeText("held-out.txt", 60, random);
        for (String date : List.of("2026-03-01", "2026-03-02")) {
            writeText("events/dt=" + date + "/lines.txt", 30, random);
        }
        Files.writeString(
                folder.resolve("nightly.conf"),
                """
                corpus { validation = 0.1, test = 0 }
                model { hidden = 24, layers = 1 }
                training { batch = 4, tbptt = 16, learning-rate = 0.01 }
                """);
    }

    @Test
    void theDagCompiles() throws Exception {
        assertEquals("", python("-m", "py_compile", DAG.toString()));
    }

    @Test
    void theDagHasItsEdgesRetriesAndMemorySettings() throws Exception {
        JsonNode dag = submitted("2026-03-01", Map.of());

        assertEquals(
                JSON.readTree("[[\"prepare\", \"train\"], [\"train\", \"evaluate\"], [\"evaluate\", \"publish\"],"
                        + " [\"publish\", \"score\"]]"),
                dag.get("edges"));
        assertFalse(dag.at("/dag/catchup").asBoolean(true));
        assertEquals(1, dag.at("/dag/max_active_runs").asInt());
        assertTrue(dag.get("retries").asInt() > 0);
        assertTrue(dag.get("backoff").asBoolean());
        for (JsonNode task : dag.get("tasks")) {
            assertEquals(Main.class.getName(), task.get("java_class").asText());
            assertTrue(task.get("application").asText().endsWith("/unroll.jar"));
            assertEquals("2g", task.at("/conf/spark.executor.memoryOverhead").asText());
        }
    }

    @Test
    void aNightPublishesARepetitionChangesNothingAndAWorseModelIsNotPublished() throws Exception {
        Path latest = folder.resolve("models/latest");

        Map<String, Output> first = night("2026-03-01", 4);
        assertFalse(first.get("prepare").json().get("found").asBoolean(true));
        assertEquals(4, first.get("train").json().get("epochs").asInt());
        JsonNode published = first.get("publish").json();
        assertTrue(published.get("published").asBoolean(), published.toString());
        assertTrue(published.get("changed").asBoolean(), published.toString());
        assertTrue(published.get("published_perplexity").isNull(), published.toString());
        assertEquals(first.get("evaluate").json().get("perplexity"), published.get("perplexity"), published.toString());
        Map<String, byte[]> publishedFiles = files(latest);
        assertSameFiles(publishedFiles, files(folder.resolve("runs/2026-03-01/model")));

        Map<String, Output> again = night("2026-03-01", 4);
        assertTrue(again.get("prepare").json().get("found").asBoolean());
        assertEquals(first.get("train").json(), again.get("train").json());
        assertTrue(again.get("train").err().contains("this run is complete"));
        JsonNode repeated = again.get("publish").json();
        assertTrue(repeated.get("published").asBoolean(), repeated.toString());
        assertFalse(repeated.get("changed").asBoolean(true), repeated.toString());
        assertEquals(published.get("perplexity"), repeated.get("published_perplexity"));
        assertSameFiles(publishedFiles, files(latest));

        Path partition = folder.resolve("scores/dt=2026-03-01");
        assertTrue(Files.isDirectory(partition), again.get("score").out());
        assertEquals(30, again.get("score").json().get("scored").asInt());
        assertEquals(
                again.get("score").json(),
                JSON.readTree(folder.resolve("alarms/2026-03-01.json").toFile()));

        Map<String, Output> worse = night("2026-03-02", 1);
        assertTrue(Files.isDirectory(partition));
        assertTrue(Files.isDirectory(folder.resolve("scores/dt=2026-03-02")));
        assertEquals(1, worse.get("train").json().get("epochs").asInt());
        JsonNode kept = worse.get("publish").json();
        assertFalse(kept.get("published").asBoolean(true), kept.toString());
        assertTrue(
                kept.get("perplexity").asDouble()
                        > kept.get("published_perplexity").asDouble(),
                kept.toString());
        assertSameFiles(publishedFiles, files(latest));
    }

    /** Covers the Spark settings of a task, which need a process. */
    @Test
    void aTaskRunsWithItsSparkSettings() throws Exception {
        JsonNode task =
                submitted("2026-03-03", Map.of("runs", folder + "/submitted")).at("/tasks/prepare");
        List<String> command = new ArrayList<>(List.of("--master", "local[2]"));
        task.get("conf").properties().forEach(setting -> {
            command.add("--conf");
            command.add(setting.getKey() + "=" + setting.getValue().asText());
        });
        command.addAll(List.of("--name", task.get("name").asText()));
        command.addAll(List.of(applicationArguments(task)));

        Output output = new Unroll(folder).run(command.toArray(String[]::new));

        assertEquals(0, output.status(), output.err());
        assertTrue(output.json().get("tokens").asLong() > 0, output.out());
    }

    /** Runs the tasks of the DAG for a logical date, in their order. */
    private static Map<String, Output> night(String date, int epochs) throws Exception {
        JsonNode dag = submitted(date, Map.of("epochs", epochs));
        Map<String, Output> outputs = new LinkedHashMap<>();
        for (String id : List.of("prepare", "train", "evaluate", "publish", "score")) {
            Output output =
                    InProcess.unroll(applicationArguments(dag.get("tasks").get(id)));
            assertEquals(0, output.status(), id + " of " + date + ": " + output.err());
            outputs.put(id, output);
        }
        return outputs;
    }

    private static String[] applicationArguments(JsonNode task) {
        List<String> arguments = new ArrayList<>();
        task.get("application_args").forEach(argument -> arguments.add(argument.asText()));
        return arguments.toArray(String[]::new);
    }

    private static JsonNode submitted(String date, Map<String, Object> otherParams) throws Exception {
        Map<String, Object> params = new LinkedHashMap<>();
        params.put("conf", folder.resolve("nightly.conf").toString());
        params.put("corpus", folder.resolve("corpus").toString());
        params.put("held_out", folder.resolve("held-out.txt").toString());
        params.put("runs", folder.resolve("runs").toString());
        params.put("models", folder.resolve("models").toString());
        params.put("rows", folder.resolve("events").toString());
        params.put("scores", folder.resolve("scores").toString());
        params.put("alarms", folder.resolve("alarms").toString());
        params.putAll(otherParams);
        return JSON.readTree(python(DAG_READER.toString(), DAG.toString(), date, JSON.writeValueAsString(params)));
    }

    private static void writeText(String name, int lines, SplittableRandom random) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int line = 0; line < lines; line++) {
            text.append(random.nextBoolean() ? "the cat sat on the mat\n" : "ein Hund lag im Gras\n");
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static Map<String, byte[]> files(Path model) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (String name : List.of("network.zip", "vocabulary.json", "settings.conf", "manifest.json")) {
            files.put(name, Files.readAllBytes(model.resolve(name)));
        }
        return files;
    }

    private static void assertSameFiles(Map<String, byte[]> expected, Map<String, byte[]> actual) {
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
    }

    private static boolean hasPython() throws InterruptedException {
        try {
            python("--version");
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String python(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("python3"));
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile(folder, "python", ".txt");
        Path err = Files.createTempFile(folder, "python", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment()
                .put("PYTHONPYCACHEPREFIX", folder.resolve("pycache").toString());
        Process process = builder.start();
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), command.toString());
        assertEquals(0, process.exitValue(), command + ": " + Files.readString(err));
        return Files.readString(out);
    }
}
