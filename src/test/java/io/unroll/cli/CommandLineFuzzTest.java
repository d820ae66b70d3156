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

/** Command lines with words that are missing, repeated, moved or damaged. None of them comes to any work. */
class CommandLineFuzzTest {
    private static final List<String> ODD = List.of(
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
            "--prime",
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

    private List<List<String>> calls;

    /** A configuration that is refused before a session of Spark starts, and a folder that is no model. */
    @BeforeEach
    void write() throws IOException {
        Path conf = folder.resolve("run.conf");
        Files.writeString(
                conf,
                "run.directory = \"" + folder + "/run\"\ncorpus.path = \"" + folder
                        + "/text.txt\"\ncorpus.malformed = skip\ncluster.threads = 1024\n");
        Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n");
        Files.writeString(Files.createDirectories(folder.resolve("mine")).resolve("best.pt"), "weights");
        String model = folder.resolve("mine").toString();
        String text = folder.resolve("text.txt").toString();
        InProcess.unroll("generate", text); // Spark's first use says where it logs
        calls = List.of(
                List.of("train", conf.toString(), "training.epochs=3", "model.hidden=8", "--json"),
                List.of("prepare", conf.toString(), "corpus.tokenizer=word", "--json"),
                List.of("evaluate", model, text, "--beam", "2", "corpus.malformed=skip", "--json"),
                List.of("evaluate", model, "--part", "test"),
                List.of("publish", model, model, text, "--tolerance", "0.01", "--json"),
                List.of("generate", model, "--prime", "the", "--length", "9", "--temperature", "0.5", "--seed", "1"),
                List.of("generate", model, "--top-k", "3", "--top-p", "0.9", "--image", text, "--beam", "3"),
                List.of("inspect", model, text, "--out", model + "/report.html", "--tokens", "50", "--json"),
                List.of("bench", "--cells", "rnn", "--hidden", "8", "--rounds", "1", "--replicas", "1", "--json"),
                List.of("help", "train"));
    }

    @Test
    @Tag("full")
    void aDamagedCommandLineGetsASentence() throws IOException {
        fuzz(2000, 1);
    }

    @Test
    @Tag("nightly")
    void aDamagedCommandLineGetsASentenceAtLength() throws IOException {
        fuzz(40_000, 1_000_000);
    }

    private void fuzz(int count, long seed) throws IOException {
        Map<String, String> before = content(folder);
        List<String> here = names(Path.of(""));
        for (int i = 0; i < count; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            List<String> words = damaged(calls.get(random.nextInt(calls.size())), random);
            // Without it, a benchmark that is good enough would run.
            words.addAll(words.contains("bench") ? List.of("--threads=100000") : List.of());
            String what = "seed " + (seed + i) + ", " + words;
            Fuzz.endsWell(what, () -> check(what, InProcess.unroll(words.toArray(String[]::new))));
        }
        assertEquals(before, content(folder));
        assertEquals(here, names(Path.of("")));
    }

    private static void check(String what, Output output) {
        assertTrue(output.status() >= 0 && output.status() <= 2, what + ": " + output.status());
        assertTrue(!output.err().contains("\tat ") && !output.err().contains("Exception"), what + ": " + output.err());
        if (output.status() != 0) {
            assertTrue(output.err().startsWith("unroll: "), what + ": " + output.err());
            assertTrue(output.err().strip().lines().count() <= 2, what + ": " + output.err());
        }
    }

    private static List<String> damaged(List<String> call, SplittableRandom random) {
        List<String> words = new ArrayList<>(call);
        for (int i = random.nextInt(3); i >= 0 && !words.isEmpty(); i--) {
            int at = random.nextInt(words.size());
            switch (random.nextInt(6)) {
                case 0 -> words.remove(at);
                case 1 -> words.add(random.nextInt(words.size()), words.get(at));
                case 2 -> words.add(words.remove(at));
                case 3 -> words.set(at, ODD.get(random.nextInt(ODD.size())));
                case 4 -> words.add(at, ODD.get(random.nextInt(ODD.size())));
                default -> words.set(
                        at,
                        new String(
                                        Fuzz.mutation(
                                                words.get(at).getBytes(StandardCharsets.UTF_8), random.nextLong()),
                                        StandardCharsets.UTF_8)
                                .replaceAll("[\\n-\\r\\x{85}\\x{2028}]", "")); // or a sentence would be several lines
            }
        }
        return words;
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
