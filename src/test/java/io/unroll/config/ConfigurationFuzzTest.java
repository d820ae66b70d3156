package io.unroll.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged copies of the configurations that are shipped, as files, as stored settings and as overrides. */
class ConfigurationFuzzTest {
    private static final List<String> ODD = List.of(
            "null",
            "[]",
            "{}",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "'",
            "=",
            ":",
            "+=",
            ",",
            "#",
            "//",
            "${x}",
            "${?x}",
            "${",
            "${corpus}",
            "${training.batch}",
            "include \"x\"",
            "include \"run.conf\"",
            "include required(file(\"x\"))",
            "include url(\"http://127.0.0.1:1/\")",
            "~",
            "~x/y",
            "NaN",
            "Infinity",
            "-0.0",
            "1e400",
            "1e999999999",
            "9223372036854775808",
            "0x10",
            "true",
            "\\u0000",
            "\uFEFF",
            "\u2028",
            "a.b.c",
            "..",
            "");

    @TempDir
    private Path folder;

    @Test
    @Tag("full")
    void aDamagedConfigurationIsRefusedOrOne() throws IOException {
        fuzz(600, 1);
    }

    @Test
    @Tag("nightly")
    void aDamagedConfigurationIsRefusedOrOneAtLength() throws IOException {
        fuzz(30_000, 1_000_000);
    }

    private void fuzz(int count, long seed) throws IOException {
        Path file = folder.resolve("run.conf");
        int read = 0;
        for (Path shipped : shipped()) {
            byte[] original = Files.readAllBytes(shipped);
            for (int i = 0; i < count; i++) {
                SplittableRandom random = new SplittableRandom(seed + i);
                byte[] mutated = i % 2 == 0 ? Fuzz.mutation(original, seed + i) : odd(original, random);
                Files.write(file, mutated);
                String what = shipped.getFileName() + ", seed " + (seed + i);
                read += Fuzz.endsWell(what, () -> read(file, List.of())) ? 1 : 0;
                String text = new String(mutated, StandardCharsets.UTF_8);
                Fuzz.endsWell(what + ", stored", () -> SettingsReader.parse(text, "stored"));
                Fuzz.endsWell(what + ", override", () -> read(shipped, List.of(override(text, random))));
            }
        }
        assertTrue(read > count / 10, "only " + read + " were read");
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    private static List<Path> shipped() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("conf"))) {
            return files.filter(file -> file.toString().endsWith(".conf"))
                    .sorted()
                    .toList();
        }
    }

    /** What has been read is whole: stored, it is the same. */
    private static void read(Path file, List<String> overrides) {
        Settings settings = SettingsReader.read(
                file,
                Stream.concat(Stream.of("run.directory=x", "corpus.path=y"), overrides.stream())
                        .toList());
        assertEquals(settings, SettingsReader.parse(settings.text(), "stored"));
    }

    /** @return the text with one to three words, or what is between them, replaced by what means something */
    private static byte[] odd(byte[] original, SplittableRandom random) {
        String text = new String(original, StandardCharsets.UTF_8);
        for (int i = random.nextInt(3); i >= 0; i--) {
            String[] words = text.split("\\b", -1);
            words[random.nextInt(words.length)] = ODD.get(random.nextInt(ODD.size()));
            text = String.join("", words);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String override(String text, SplittableRandom random) {
        List<String> lines = text.lines().filter(line -> line.contains("=")).toList();
        String line = lines.isEmpty() ? text : lines.get(random.nextInt(lines.size()));
        String key = line.strip().replaceFirst("=.*", "=");
        return random.nextBoolean() ? line : key + ODD.get(random.nextInt(ODD.size()));
    }
}
