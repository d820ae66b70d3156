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

/** Damaged copies of the configurations in {@code conf}, read as files, as stored settings and as overrides. */
class ConfigurationFuzzTest {
    private static final List<String> ODD_TOKENS = List.of(
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
    void aDamagedConfigurationIsReadOrRefused() throws IOException {
        fuzz(600, 1);
    }

    @Test
    @Tag("nightly")
    void manyDamagedConfigurationsAreReadOrRefused() throws IOException {
        fuzz(30_000, 1_000_000);
    }

    private void fuzz(int count, long seed) throws IOException {
        Path file = folder.resolve("run.conf");
        int readCount = 0;
        for (Path configuration : configurations()) {
            byte[] original = Files.readAllBytes(configuration);
            for (int i = 0; i < count; i++) {
                SplittableRandom random = new SplittableRandom(seed + i);
                byte[] mutated = i % 2 == 0 ? Fuzz.mutation(original, seed + i) : withOddTokens(original, random);
                Files.write(file, mutated);
                String description = configuration.getFileName() + ", seed " + (seed + i);
                readCount += Fuzz.assertReadOrRefused(description, () -> read(file, List.of())) ? 1 : 0;
                String text = new String(mutated, StandardCharsets.UTF_8);
                Fuzz.assertReadOrRefused(description + ", stored", () -> SettingsReader.parse(text, "stored"));
                Fuzz.assertReadOrRefused(
                        description + ", override", () -> read(configuration, List.of(override(text, random))));
            }
        }
        assertTrue(readCount > count / 10, "only " + readCount + " were read");
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    private static List<Path> configurations() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("conf"))) {
            return files.filter(file -> file.toString().endsWith(".conf"))
                    .sorted()
                    .toList();
        }
    }

    /** Reads the file, and checks that the stored settings are equal when they are read again. */
    private static void read(Path file, List<String> overrides) {
        Settings settings = SettingsReader.read(
                file,
                Stream.concat(Stream.of("run.directory=x", "corpus.path=y"), overrides.stream())
                        .toList());
        assertEquals(settings, SettingsReader.parse(settings.text(), "stored"));
    }

    /** @return the text with one to three words or separators replaced by tokens that HOCON may interpret */
    private static byte[] withOddTokens(byte[] original, SplittableRandom random) {
        String text = new String(original, StandardCharsets.UTF_8);
        for (int i = random.nextInt(3); i >= 0; i--) {
            String[] words = text.split("\\b", -1);
            words[random.nextInt(words.length)] = ODD_TOKENS.get(random.nextInt(ODD_TOKENS.size()));
            text = String.join("", words);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String override(String text, SplittableRandom random) {
        List<String> lines = text.lines().filter(line -> line.contains("=")).toList();
        String line = lines.isEmpty() ? text : lines.get(random.nextInt(lines.size()));
        String key = line.strip().replaceFirst("=.*", "=");
        return random.nextBoolean() ? line : key + ODD_TOKENS.get(random.nextInt(ODD_TOKENS.size()));
    }
}
