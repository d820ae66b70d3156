package io.unroll.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Python package in the jar. {@code PYSPARK_HOME} must name a Spark with {@code bin/spark-submit} and the folder {@code
 * python}; its Python needs numpy.
 */
@Tag("full")
class PySparkIT {
    private static final Path JAR = Path.of("target/unroll.jar").toAbsolutePath();

    @TempDir
    private static Path folder;

    private static Path spark;

    @BeforeAll
    static void findSpark() {
        String home = System.getenv("PYSPARK_HOME");
        assumeTrue(home != null, "PYSPARK_HOME is not set, so the Python package is not tested.");
        spark = Path.of(home);
    }

    @Test
    void stagesAreFittedSavedAndLoaded() throws Exception {
        String printed = python(0, "--jars " + JAR, "src/test/python/test_unroll.py", folder.toString());
        assertTrue(printed.contains("all is well"), printed);
    }

    @Test
    void aMissingJarIsNamed() throws Exception {
        Path program = Files.writeString(
                folder.resolve("without_jar.py"),
                """
                from pyspark.sql import SparkSession
                import unroll
                SparkSession.builder.getOrCreate()
                unroll.UnrollTextClassifier()
                """);
        String printed = python(1, "", program.toString());
        assertTrue(
                printed.contains("RuntimeError: Unroll's jar is not on Spark's class path: start Spark with"), printed);
    }

    @Test
    void sparkConnectIsRefused() throws Exception {
        Path program = Files.writeString(
                folder.resolve("connect.py"),
                """
                import os
                import unroll
                os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
                unroll.UnrollTextClassifier()
                """);
        String printed = python(1, "--jars " + JAR, program.toString());
        assertTrue(
                printed.contains("RuntimeError: Spark Connect cannot run Unroll: create a classic session"), printed);
    }

    private static String python(int status, String options, String... arguments) throws Exception {
        Path log = Files.createTempFile(folder, "python", ".log");
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of("python3"), Stream.of(arguments))
                        .toList())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment()
                .putAll(Map.of(
                        "SPARK_HOME",
                        spark.toString(),
                        "PYTHONPATH",
                        pythonPath(),
                        "PYSPARK_SUBMIT_ARGS",
                        "--master local[2] --conf spark.ui.enabled=false " + options + " pyspark-shell"));
        assertEquals(status, builder.start().waitFor(), () -> text(log));
        return text(log);
    }

    private static String pythonPath() throws IOException {
        Path python = spark.resolve("python");
        List<Path> all;
        try (Stream<Path> libraries = Files.list(python.resolve("lib"))) {
            all = libraries.filter(file -> file.toString().endsWith("-src.zip")).toList();
        }
        return Stream.concat(Stream.of(python, JAR), all.stream())
                .map(Path::toString)
                .collect(Collectors.joining(":"));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
