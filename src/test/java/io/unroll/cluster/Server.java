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

/** A server on loopback in a Java process of its own, ended with the test. */
record Server(Process process, Path log) implements AutoCloseable {
    /** @param classPath and what follows it on Java's command line */
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

    /** @return what the first group of this pattern finds in the log, once it does */
    String awaitLog(String pattern) throws InterruptedException {
        Pattern sought = Pattern.compile(pattern);
        boolean found = Unroll.Running.await(
                () -> !process.isAlive() || sought.matcher(text()).find());
        Matcher matcher = sought.matcher(text());
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
