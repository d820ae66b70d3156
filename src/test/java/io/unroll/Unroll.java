package io.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.commons.io.FileUtils;

/** Runs {@code jobs/unroll} as users do, in a new process with a folder as its working directory. */
public final class Unroll {
    private static final long MAX_MINUTES = 20;
    /** Test processes are too short for the optimizing compiler; without it they take half of the processor time. */
    private static final String WITHOUT_OPTIMIZING_COMPILER = "-XX:TieredStopAtLevel=1";

    private final Path folder;
    private final Map<String, String> environment = new HashMap<>();

    public Unroll(Path folder) {
        this.folder = folder;
        environment.putAll(Map.of("LC_ALL", "C", "SPARK_LOCAL_IP", "127.0.0.1"));
        environment.put("SPARK_SUBMIT_OPTS", WITHOUT_OPTIMIZING_COMPILER);
    }

    public Unroll with(Map<String, String> variables) {
        Unroll other = new Unroll(folder);
        other.environment.putAll(environment);
        other.environment.putAll(variables);
        return other;
    }

    public record Output(int status, String out, String err) {
        public JsonNode json() throws IOException {
            String[] lines = out.strip().split("\n");
            return new ObjectMapper().readTree(lines[lines.length - 1]);
        }
    }

    public Output run(String... arguments) throws IOException, InterruptedException {
        return start(arguments).end();
    }

    public Running start(String... arguments) throws IOException {
        return start(List.of(), arguments);
    }

    /** Starts the command in a new process group, as a shell does for a foreground job. */
    public Running startInOwnGroup(String... arguments) throws IOException {
        return start(List.of("setsid"), arguments);
    }

    private Running start(List<String> wrapper, String... arguments) throws IOException {
        // A background process may ignore Ctrl-C, and its children inherit that.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(wrapper);
        command.add(Path.of("jobs/unroll").toAbsolutePath().toString());
        if (Arrays.stream(arguments).anyMatch(argument -> argument.startsWith("local-cluster"))) {
            command.addAll(List.of("--conf", "spark.executor.extraJavaOptions=" + WITHOUT_OPTIMIZING_COMPILER));
        }
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeAll(List.of("SPARK_HOME", "SPARK_CONF_DIR"));
        builder.environment().putAll(environment);
        return new Running(builder.start(), out, err);
    }

    /** @return the processes of Spark executors among the descendants of a process */
    public static List<ProcessHandle> executorsOf(Process process) {
        return process.descendants()
                .filter(child -> child.info().command().orElse("").endsWith("java")
                        && child.info().commandLine().orElse("").contains("CoarseGrainedExecutorBackend"))
                .toList();
    }

    /** A process that was started. */
    public record Running(Process process, Path out, Path err) {
        public Output end() throws IOException, InterruptedException {
            if (!process.waitFor(MAX_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException(
                        "the process does not end within " + MAX_MINUTES + " minutes: " + Files.readString(err));
            }
            removeWorkOfEndedExecutors();
            return new Output(process.exitValue(), Files.readString(out), Files.readString(err));
        }

        /** Each executor of a {@code local-cluster} leaves a copy of the jar; together they would fill the disk. */
        private static void removeWorkOfEndedExecutors() throws IOException {
            File[] applications = new File("target/spark/work").listFiles();
            if (applications == null) {
                return;
            }
            List<String> running = ProcessHandle.allProcesses()
                    .map(other -> other.info().commandLine().orElse(""))
                    .toList();
            for (File application : applications) {
                boolean young = System.currentTimeMillis() - application.lastModified() < TimeUnit.MINUTES.toMillis(1);
                if (!young && running.stream().noneMatch(line -> line.contains(application.getName()))) {
                    FileUtils.deleteDirectory(application);
                }
            }
        }

        /** Waits until the progress contains the text or the process ends; returns whether it contains the text. */
        public boolean shows(String text) throws InterruptedException {
            return await(() -> progress().contains(text) || !process.isAlive())
                    && progress().contains(text);
        }

        public String progress() {
            try {
                return Files.readString(err);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        public List<ProcessHandle> executors() {
            return executorsOf(process);
        }

        /** Kills the process, which must not have ended, and its executors with SIGKILL. */
        public void kill() throws InterruptedException {
            List<ProcessHandle> executors = executors();
            process.destroyForcibly();
            assertEquals(137, process.waitFor(), "the run ended before it was killed: " + progress());
            executors.forEach(ProcessHandle::destroyForcibly);
        }

        /** Waits at most twenty minutes for the condition; returns whether it became true. */
        public static boolean await(BooleanSupplier condition) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MAX_MINUTES);
            while (!condition.getAsBoolean()) {
                if (System.nanoTime() > end) {
                    return false;
                }
                Thread.sleep(10);
            }
            return true;
        }
    }
}
