package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.unroll.Unroll;
import io.unroll.cli.InProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tasks that read tables, from the command line: the same weights on any Spark master, and after a kill. */
class TasksIT {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        StringBuilder words = new StringBuilder("id,label,text\n");
        StringBuilder pairs = new StringBuilder();
        for (int i = 0; i < 600; i++) {
            StringBuilder word = new StringBuilder();
            for (int length = 1 + random.nextInt(7); length > 0; length--) {
                word.append((char) ('a' + random.nextInt(4)));
            }
            words.append(i)
                    .append(word.indexOf("a") >= 0 ? ",with," : ",without,")
                    .append(word)
                    .append('\n');
            pairs.append(word).append('\t').append(word.reverse()).append('\n');
        }
        Files.writeString(folder.resolve("words.csv"), words);
        Files.writeString(folder.resolve("pairs.tsv"), pairs);
        Files.createDirectory(folder.resolve("images"));
        StringBuilder captions = new StringBuilder("image,caption\n");
        for (int i = 0; i < 320; i++) {
            String color = List.of("red", "blue").get(i % 2);
            String shape = List.of("circle", "bar").get(i / 2 % 2);
            Files.write(folder.resolve("images/" + i + ".png"), ShapeImages.png(true, color, shape, i));
            captions.append(i + ".png,a " + color + " " + shape + "\n");
        }
        Files.writeString(folder.resolve("captions.csv"), captions);
        configure(
                "captioning",
                "path = \"%1$s/captions.csv\", images = \"%1$s/images\", tokenizer = word",
                "hidden = 32, image { side = 16, inject = first-step }",
                0.005);
        configure("classification", "path = \"%s/words.csv\"", "hidden = 16, pooling = max", 0.02);
        configure(
                "seq2seq",
                "path = \"%s/pairs.tsv\", header = false, columns { source = 1, target = 2 }",
                "hidden = 24, attention = general, bidirectional = true",
                0.02);
    }

    private static void configure(String task, String corpus, String model, double learningRate) throws IOException {
        Files.writeString(
                folder.resolve(task + ".conf"),
                """
                task = %2$s
                corpus { %3$s, prepared = "%1$s/prepared", validation = 0.1, test = 0.1 }
                model { %4$s, layers = 1, dropout = 0.1 }
                training { epochs = 12, batch = 8, learning-rate = %5$s, schedule = linear }
                cluster { replicas = 2, averaging.every = 15 }
                """
                        .formatted(folder, task, corpus.formatted(folder), model, learningRate));
    }

    @Test
    void classificationIsDeterministicOnOneAndTwoCores() throws Exception {
        isDeterministicOnOneAndTwoCores("classification", "accuracy", 0.9, 1);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"seq2seq, sequence_error_rate, 0, 0.6", "captioning, exact_match, 0.9, 1"})
    void isDeterministicOnOneAndTwoCores(String task, String metric, double min, double max) throws Exception {
        String run = run(task, "two").toString();
        assertSucceeds(InProcess.unroll("train", conf(task), "run.directory=" + run));
        assertArrayEquals(trainOnOneCore(task), network(run(task, "two")));

        JsonNode score =
                InProcess.unroll("evaluate", run, "--part", "test", "--json").json();
        double value = score.get(metric).asDouble();
        assertTrue(value >= min && value <= max, score.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"classification", "seq2seq", "captioning"})
    @Tag("full")
    void isDeterministicOnAClusterAndAfterAKill(String task) throws Exception {
        byte[] expected = trainOnOneCore(task);
        assertSucceeds(start("local-cluster[2,1,1024]", task, "cluster").end());
        assertArrayEquals(expected, network(run(task, "cluster")));

        Unroll.Running killed = start("local[2]", task, "killed");
        assertTrue(killed.shows("round 5/"), killed.progress());
        killed.kill();
        Unroll.Output resumed = start("local[2]", task, "killed").end();
        assertSucceeds(resumed);
        assertTrue(resumed.err().contains("resuming after round "), resumed.err());
        assertArrayEquals(expected, network(run(task, "killed")));
    }

    /** @return the weights */
    private static byte[] trainOnOneCore(String task) throws IOException {
        Path run = run(task, "one");
        assertSucceeds(InProcess.unrollWithMaster("local[1]", "train", conf(task), "run.directory=" + run));
        return network(run);
    }

    private static void assertSucceeds(Unroll.Output output) {
        assertEquals(0, output.status(), output.err());
    }

    private static String conf(String task) {
        return folder.resolve(task + ".conf").toString();
    }

    private static Path run(String task, String name) {
        return folder.resolve(task).resolve(name);
    }

    private static Unroll.Running start(String master, String task, String name) throws IOException {
        return new Unroll(folder).start("--master", master, "train", conf(task), "run.directory=" + run(task, name));
    }

    /** @return the content of all network files of the model */
    private static byte[] network(Path run) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Stream<Path> files = Files.list(run.resolve("model"))) {
            for (Path zip : files.filter(file -> file.toString().endsWith(".zip"))
                    .sorted()
                    .toList()) {
                out.write(Files.readAllBytes(zip));
            }
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"error", "skip"})
    void unusableRowIsReportedOrCounted(String malformed) throws Exception {
        Files.writeString(folder.resolve("bad.csv"), "text,label\na,x\nb,y\n\"\",x\nc\n");
        Unroll.Output output = prepare(
                "bad-" + malformed,
                "classification",
                "corpus.path=" + folder.resolve("bad.csv"),
                "corpus.malformed=" + malformed);
        if (malformed.equals("error")) {
            assertEquals(1, output.status(), output.err());
            assertTrue(
                    output.err()
                            .matches(
                                    "(?s).*bad\\.csv, the row with text = null, label = x: the row has no text\\. Correct .*"),
                    output.err());
        } else {
            assertEquals(0, output.status(), output.err());
            assertEquals(2, output.json().get("skipped").asInt());
            assertEquals(
                    "{\"it cannot be parsed, or has other columns than the first row\":1,\"the row has no text\":1}",
                    output.json().get("skipped_by_reason").toString());
            assertEquals(2, output.json().get("examples").asInt());
        }
    }

    /** For example on another machine, with rows that are not as clean as the training data. */
    @Test
    void evaluationCanReadOtherImagesAndSkipRows() throws Exception {
        String moved = "run.directory=" + folder.resolve("moved");
        assertSucceeds(InProcess.unroll("train", conf("captioning"), "training.epochs=1", moved));
        Files.createDirectory(folder.resolve("others"));
        StringBuilder captions = new StringBuilder("image,caption\n");
        for (int i = 0; i < 12; i++) {
            if (i < 10) {
                Files.write(folder.resolve("others/n" + i + ".png"), ShapeImages.png(true, "red", "bar", i));
            }
            captions.append("n" + i + ".png,a red bar\n");
        }
        Files.writeString(folder.resolve("others.csv"), captions);

        String images = "corpus.images=" + folder.resolve("others");
        Unroll.Output failing = evaluate(images);
        assertEquals(1, failing.status(), failing.err());
        assertTrue(
                failing.err().contains("the row with image = n10.png, caption = a red bar: there is no file"),
                failing.err());
        Unroll.Output skipping = evaluate(images, "corpus.malformed=skip");
        assertEquals(0, skipping.status(), skipping.err());
        assertEquals(2, skipping.json().get("skipped").asInt());
        assertEquals(1, skipping.json().get("skipped_by_reason").size());
        assertEquals(10, skipping.json().get("images").asInt());
    }

    private static Unroll.Output evaluate(String... settings) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("evaluate", folder.resolve("moved").toString(), folder + "/others.csv", "--json"));
        arguments.addAll(List.of(settings));
        return InProcess.unroll(arguments.toArray(String[]::new));
    }

    @Test
    void missingColumnsAndUnsuitableSettingsAreReported() throws Exception {
        Unroll.Output column = prepare("column", "classification", "corpus.columns.label=kind");
        assertEquals(2, column.status(), column.err());
        assertTrue(
                column.err()
                        .contains("words.csv has no column kind (corpus.columns.label);"
                                + " its columns are id, label, text."),
                column.err());
        Unroll.Output number = prepare("number", "seq2seq", "corpus.columns.target=3");
        assertEquals(2, number.status(), number.err());
        assertTrue(number.err().contains("pairs.tsv has no column 3 (corpus.columns.target"), number.err());
        Unroll.Output replace = prepare("replace", "seq2seq", "corpus.malformed=replace");
        assertEquals(2, replace.status(), replace.err());
        assertTrue(replace.err().contains("corpus.malformed is replace"), replace.err());
        Unroll.Output skip = prepare("lm", "classification", "task=language-model", "corpus.malformed=skip");
        assertEquals(2, skip.status(), skip.err());
    }

    private static Unroll.Output prepare(String run, String task, String... settings) throws Exception {
        List<String> arguments =
                new ArrayList<>(List.of("prepare", conf(task), "--json", "run.directory=" + folder.resolve(run)));
        arguments.addAll(List.of(settings));
        return InProcess.unroll(arguments.toArray(String[]::new));
    }
}
