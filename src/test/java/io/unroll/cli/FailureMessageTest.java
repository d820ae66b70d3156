package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll.Output;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Failures end with a one-sentence message, not with a stack trace. */
class FailureMessageTest {
    private static final List<String> PATHS =
            List.of("hdfs://127.0.0.1:1/x", "hdfs://no.such.host.invalid/x", "foo://host/x", "s3a://bucket/x");

    @TempDir
    private Path folder;

    static Stream<Arguments> pathArguments() {
        return PATHS.stream()
                .flatMap(path -> Stream.of(
                        Arguments.of("run.directory", path, List.of("train", "CONF", "run.directory=" + path)),
                        Arguments.of("corpus.path", path, List.of("train", "CONF", "corpus.path=" + path)),
                        Arguments.of("corpus.path", path, List.of("prepare", "CONF", "corpus.path=" + path)),
                        Arguments.of("corpus.prepared", path, List.of("prepare", "CONF", "corpus.prepared=" + path)),
                        Arguments.of(
                                "corpus.images",
                                path,
                                List.of("train", "CONF", "task=captioning", "corpus.images=" + path)),
                        Arguments.of(
                                "training.start-from", path, List.of("train", "CONF", "training.start-from=" + path)),
                        Arguments.of("MODEL", path, List.of("generate", path)),
                        Arguments.of("MODEL", path, List.of("evaluate", path, "CONF")),
                        Arguments.of("TEXT", path, List.of("evaluate", "CONF", path)),
                        Arguments.of("MODEL", path, List.of("inspect", path, "CONF")),
                        Arguments.of("TEXT", path, List.of("inspect", "CONF", path)),
                        Arguments.of("TARGET", path, List.of("publish", "CONF", path, "CONF")),
                        Arguments.of("TEXT", path, List.of("publish", "CONF", "CONF", path))));
    }

    @ParameterizedTest
    @MethodSource("pathArguments")
    void anUnreachableFileSystemIsNamed(String name, String path, List<String> command) throws IOException {
        Path configuration = folder.resolve("conf");
        Files.writeString(
                configuration,
                "corpus.path = \"" + configuration + "\", run.directory = \"" + folder.resolve("run") + "\"");
        List<String> arguments = new ArrayList<>(command);
        arguments.replaceAll(argument -> argument.equals("CONF") ? configuration.toString() : argument);
        Output output = InProcess.unroll(arguments.toArray(String[]::new));
        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().startsWith("unroll: " + name + " is " + path + ", and "), output.err());
        assertEquals(1, output.err().lines().count(), output.err());
        assertFalse(Files.exists(folder.resolve("run")));
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(new IllegalStateException("x\n\tat y"), "IllegalStateException: x ("),
                Arguments.of(new IllegalStateException(), "IllegalStateException ("),
                Arguments.of(new OutOfMemoryError("Java heap space"), "there is not enough memory (Java heap space; "),
                Arguments.of(new ExceptionInInitializerError(new OutOfMemoryError("x")), "--driver-memory 4g"),
                Arguments.of(new UnsatisfiedLinkError("no jnix"), "the native libraries do not load ("),
                Arguments.of(
                        new NoClassDefFoundError("Could not initialize class org.nd4j.linalg.factory.Nd4j"),
                        "the native libraries do not load ("),
                Arguments.of(new NoSuchMethodError("spark.x"), "NoSuchMethodError: spark.x ("),
                Arguments.of(
                        new IOException("x", new UnknownHostException("h.invalid")),
                        "the host name h.invalid cannot be resolved"),
                Arguments.of(
                        new IOException("/d/f", new IOException("No space left on device")),
                        "a disk is full (/d/f): free space on it ("),
                Arguments.of(
                        new SparkException("Job aborted due to stage failure: Task 0 in stage 1.0 failed 1 times, most "
                                + "recent failure: Lost task 0.0 in stage 1.0 (TID 1) (h7 executor 3): java.io.IOException: "
                                + "z\n\tat a.b.c(D.java:1)"),
                        "a task failed on h7: java.io.IOException: z ("));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void theMessageNamesTheFileWithTheStackTrace(Throwable failure, String expected) throws IOException {
        String sentence = FailureMessage.sentence(failure);
        assertTrue(sentence.contains(expected), sentence);
        assertEquals(1, sentence.lines().count(), sentence);
        Matcher trace =
                Pattern.compile(" \\(the stack trace is in (.+\\.log)\\)$").matcher(sentence);
        assertTrue(trace.find(), sentence);
        Path file = Path.of(trace.group(1));
        assertTrue(Files.readString(file).contains("\tat " + getClass().getName()), sentence);
        Files.delete(file);
    }

    @Test
    void anUnrollExceptionNeedsNoStackTrace() {
        assertEquals("it is so.", FailureMessage.sentence(new UnrollException("it is so.", new IOException("x"))));
    }

    @Test
    void inClusterModeTheStackTraceIsInTheDriversLog() {
        System.setProperty("spark.submit.deployMode", "cluster");
        try {
            assertEquals(
                    "IOException: x (the stack trace is in the driver's log)",
                    FailureMessage.sentence(new IOException("x")));
        } finally {
            System.clearProperty("spark.submit.deployMode");
        }
    }
}
