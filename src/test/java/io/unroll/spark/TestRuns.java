package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.train.Progress;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Runs training jobs in the test's process, all in one Spark session. */
final class TestRuns implements AutoCloseable {
    private final Session session;

    /** The calls of the progress listener: method name and arguments. */
    final List<String> progress = new ArrayList<>();

    TestRuns() {
        this(startSession());
    }

    TestRuns(Session session) {
        this.session = session;
    }

    static Session startSession() {
        System.setProperty("spark.master", "local[2]");
        System.setProperty("spark.ui.enabled", "false");
        return Session.start("test", 1);
    }

    TrainedModel train(String settings) throws IOException {
        Progress listener = (Progress) Proxy.newProxyInstance(
                Progress.class.getClassLoader(), new Class<?>[] {Progress.class}, (proxy, method, arguments) -> {
                    progress.add(method.getName() + " " + List.of(arguments));
                    return null;
                });
        return TrainingJob.run(session, settings(settings), listener);
    }

    static Settings settings(String settings) {
        return SettingsReader.parse(settings, "test");
    }

    /** @return a CSV table of random texts, labelled by whether they contain an "a" */
    static String rows(int count) {
        SplittableRandom random = new SplittableRandom(3);
        StringBuilder rows = new StringBuilder("label,text\n");
        for (int i = 0; i < count; i++) {
            StringBuilder word = new StringBuilder();
            for (int length = 1 + random.nextInt(7); length > 0; length--) {
                word.append((char) ('a' + random.nextInt(4)));
            }
            rows.append(word.indexOf("a") >= 0 ? "with," : "without,")
                    .append(word)
                    .append('\n');
        }
        return rows.toString();
    }

    /** @return by relative path, the content of every file in a folder, and every folder */
    static Map<String, String> content(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                content.put(
                        folder.relativize(path).toString(),
                        Files.isDirectory(path) ? "a folder" : Arrays.toString(Files.readAllBytes(path)));
            }
        }
        return content;
    }

    @Override
    public void close() {
        session.close();
    }
}
