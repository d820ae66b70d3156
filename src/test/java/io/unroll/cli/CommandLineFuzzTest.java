package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Command lines whose arguments are removed, repeated, moved or damaged. None of them may change a file. */
class CommandLineFuzzTest {
    private static final List<String> ODD_ARGUMENTS = List.of(
            "",
            " ",
            "-",
            "--",
            "---",
            "=",
            "a=b",
            "--json",
            "--json=x",
            "--help=x",
            "-x",
            "~x",
            "NaN",
            "-1",
            "1e400",
            "\"",
            "'",
            "@nothing",
            "é€",
            "\u0000",
            "${run.directory}",
            "training.epochs=",
            "model={}",
            "task=null",
            "--out=",
            "--beam=0",
            "--part",
            "--part=none",
            "--image",
            "--prompt",
            "file:///proc/none",
            "s3a://",
            "x:y",
            "hdfs://",
            "/",
            "..",
            "*",
            "[",
            "{a",
            "corpus.path=[");

    @TempDir
    private Path folder;

    private List<List<String>> commands;

    /** Writes a configuration that is refused before Spark starts, and a folder that is not a model. */
    @BeforeEach
    void write() throws IOException {
        Path conf = folder.resolve("run.conf");
        Files.writeString(
                conf,
                "run.directory = \"" + folder + "/run\"\ncorpus.path = \"" + folder
                        + "/text.txt\"\ncorpus.malformed = skip\ncluster.threads = 1024\n");
        Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n");
        Files.writeString(Files.createDirectories(folder.resolve("not-a-model")).resolve("best.pt"), "weights");
        String model = folder.resolve("not-a-model").toString();
        String text = folder.resolve("text.txt").toString();
        InProcess.unroll("generate", text); // the first use of Spark prints its logging configuration
        commands = List.of(
                List.of("train", conf.toString(), "training.epochs=3", "model.hidden=8", "--json"),
                List.of("prepare", conf.toString(), "corpus.tokenizer=word", "--json"),
                List.of("evaluate", model, text, "--beam", "2", "corpus.malformed=skip", "--json"),
                List.of("evaluate", model, "--part", "test"),
                List.of("publish", model, model, text, "--tolerance", "0.01", "--json"),
                List.of("generate", model, "--prompt", "the", "--length", "9", "--temperature", "0.5", "--seed", "1"),
                List.of("generate", model, "--top-k", "3", "--top-p", "0.9", "--image", text, "--beam", "3"),
                List.of("inspect", model, text, "--out", model + "/report.html", "--tokens", "50", "--json"),
                List.of("bench", "--cells", "rnn", "--hidden", "8", "--rounds", "1", "--replicas", "1", "--json"),
                List.of("help", "train"));
    }

    @Test
    @Tag("full")
    void aDamagedCommandLineFailsWithOneSentence() throws IOException {
        fuzz(2000, 1);
    }

    @Test
    @Tag("nightly")
    void manyDamagedCommandLinesFailWithOneSentence() throws IOException {
        fuzz(40_000, 1_000_000);
    }

    private void fuzz(int count, long seed) throws IOException {
        Map<String, String> contentBefore = content(folder);
        List<String> namesBefore = names(Path.of(""));
        for (int i = 0; i < count; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            List<String> arguments = damaged(commands.get(random.nextInt(commands.size())), random);
            // Otherwise a valid bench command would run.
            arguments.addAll(arguments.contains("bench") ? List.of("--threads=100000") : List.of());
            String description = "seed " + (seed + i) + ", " + arguments;
            Fuzz.assertReadOrRefused(
                    description, () -> check(description, InProcess.unroll(arguments.toArray(String[]::new))));
        }
        assertEquals(contentBefore, content(folder));
        assertEquals(namesBefore, names(Path.of("")));
    }

    private static void check(String description, Output output) {
        assertTrue(output.status() >= 0 && output.status() <= 2, description + ": " + output.status());
        assertTrue(
                !output.err().contains("\tat ") && !output.err().contains("Exception"),
                description + ": " + output.err());
        if (output.status() != 0) {
            assertTrue(output.err().startsWith("unroll: "), description + ": " + output.err());
            assertTrue(output.err().strip().lines().count() <= 2, description + ": " + output.err());
        }
    }

    private static List<String> damaged(List<String> command, SplittableRandom random) {
        List<String> arguments = new ArrayList<>(command);
        for (int i = random.nextInt(3); i >= 0 && !arguments.isEmpty(); i--) {
            int position = random.nextInt(arguments.size());
            switch (random.nextInt(6)) {
                case 0 -> arguments.remove(position);
                case 1 -> arguments.add(random.nextInt(arguments.size()), arguments.get(position));
                case 2 -> arguments.add(arguments.remove(position));
                case 3 -> arguments.set(position, ODD_ARGUMENTS.get(random.nextInt(ODD_ARGUMENTS.size())));
                case 4 -> arguments.add(position, ODD_ARGUMENTS.get(random.nextInt(ODD_ARGUMENTS.size())));
                default -> arguments.set(
                        position,
                        new String(
                                        Fuzz.mutation(
                                                arguments.get(position).getBytes(StandardCharsets.UTF_8),
                                                random.nextLong()),
                                        StandardCharsets.UTF_8)
                                .replaceAll("[\\n-\\r\\x{85}\\x{2028}]", "")); // otherwise a message has several lines
            }
        }
        return arguments;
    }

    private static Map<String, String> content(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList()) {
                content.put(file.toString(), Files.isDirectory(file) ? "" : Files.readString(file));
            }
        }
        return content;
    }

    private static List<String> names(Path folder) throws IOException {
        String[] names = folder.toAbsolutePath().toFile().list();
        Arrays.sort(names);
        return List.of(names);
    }
}
