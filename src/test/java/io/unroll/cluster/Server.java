package io.unroll.cluster;

import io.unroll.Unroll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.launcher.JavaModuleOptions;

/** A server on loopback in a separate Java process. */
record Server(Process process, Path log) implements AutoCloseable {
    /** @param arguments of the java command after the class path: options, main class, and its arguments */
    static Server start(Path folder, Map<String, String> environment, String classPath, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-cp", classPath));
        command.addAll(List.of(JavaModuleOptions.defaultModuleOptions().split(" ")));
        command.addAll(List.of(arguments));
        Path log = Files.createTempFile(folder, "server", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        return new Server(builder.start(), log);
    }

    /**
     * Waits until the log matches a pattern.
     *
     * @return the first group of the match
     */
    String awaitLog(String pattern) throws InterruptedException {
        Pattern compiled = Pattern.compile(pattern);
        boolean found = Unroll.Running.await(
                () -> !process.isAlive() || compiled.matcher(text()).find());
        Matcher matcher = compiled.matcher(text());
        if (!found || !matcher.find()) {
            throw new IllegalStateException("no " + pattern + " in: " + text());
        }
        return matcher.group(1);
    }

    private String text() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().onExit().join();
    }
}
