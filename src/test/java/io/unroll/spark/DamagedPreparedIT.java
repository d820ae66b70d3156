package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Split;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.task.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prepared files that have changed are prepared again; foreign files are not touched. */
class DamagedPreparedIT extends LocalSparkSession {
    @BeforeAll
    static void writeFiles() throws IOException {
        Files.writeString(folder.resolve("text"), "the cat sat on the mat and saw a dog\n".repeat(40));
        StringBuilder rows = new StringBuilder("text,label\n");
        for (int i = 0; i < 60; i++) {
            rows.append("a text of ").append(i).append(i % 2 == 0 ? ",even\n" : ",odd\n");
        }
        Files.writeString(folder.resolve("rows.csv"), rows);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "corpus { path = FOLDER/text, tokenizer = word }",
                "corpus.path = FOLDER/text",
                "task = classification, corpus.path = FOLDER/rows.csv"
            })
    void preparesChangedFilesAgain(String text) throws IOException {
        Settings settings = SettingsReader.parse(
                ("run.directory = FOLDER/run, training { batch = 2, tbptt = 5 }, corpus.prepared = FOLDER/prepared\n"
                                + text)
                        .replaceAll("FOLDER([/\\w.]*)", "\"" + folder + "$1\""),
                "test");
        PreparedCorpus first = prepare(settings);
        assertFalse(first.found());
        List<Batch> batches = batches(settings, first);
        assertTrue(prepare(settings).found());
        Path foreign = Files.writeString(Path.of(path(first) + "/mine.bin"), "mine");

        for (String name : List.of(".bin", ".idx", "index.json", "vocabulary.json")) {
            for (UnaryOperator<byte[]> change : changes()) {
                // Without and with the checksum file of the file system.
                for (boolean withoutChecksum : new boolean[] {true, false}) {
                    Path file = file(first, name);
                    if (withoutChecksum) {
                        Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
                    }
                    byte[] bytes = change.apply(Files.readAllBytes(file));
                    if (bytes == null) {
                        Files.delete(file);
                    } else {
                        Files.write(file, bytes);
                    }

                    PreparedCorpus again = prepare(settings);
                    assertFalse(again.found(), name);
                    assertEquals(describe(batches), describe(batches(settings, again)), name);
                    assertTrue(prepare(settings).found(), name);
                }
            }
        }
        assertEquals("mine", Files.readString(foreign));
    }

    /** The index of an older version has no weights. */
    @Test
    void findsFilesOfAnOlderVersion() throws IOException {
        Settings settings = SettingsReader.parse(
                "run.directory = run, task = classification, corpus { path = \"%1$s/rows.csv\", prepared = \"%1$s/older\" }"
                        .formatted(folder),
                "test");
        PreparedCorpus first = prepare(settings);
        Path index = Path.of(path(first) + "/index.json");
        String older = Files.readString(index).replaceAll(",\\s*\"weight(ed)?\" : [\\w.]+", "");
        assertFalse(older.contains("weight"), older);
        Files.delete(index.resolveSibling(".index.json.crc"));
        Files.writeString(index, older);
        PreparedCorpus again = prepare(settings);
        assertTrue(again.found());
        assertEquals(describe(batches(settings, first)), describe(batches(settings, again)));
    }

    private static List<UnaryOperator<byte[]>> changes() {
        return List.of(
                bytes -> null,
                bytes -> new byte[0],
                bytes -> Arrays.copyOf(bytes, bytes.length - 3),
                bytes -> {
                    bytes[bytes.length / 2] ^= 1;
                    bytes[bytes.length / 2 + 1] ^= 4;
                    return bytes;
                },
                bytes -> text(bytes).contains("\"name\" : \"")
                        ? text(bytes)
                                .replace("\"name\" : \"", "\"name\" : \"../x")
                                .getBytes(StandardCharsets.ISO_8859_1)
                        : new byte[] {1});
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** @return the file with this ending; of several parts, one that the index names */
    private static Path file(PreparedCorpus corpus, String ending) throws IOException {
        String index = Files.readString(Path.of(path(corpus) + "/index.json"));
        try (Stream<Path> files = Files.list(Path.of(path(corpus)))) {
            Path found = files.filter(file -> file.toString().endsWith(ending))
                    .filter(file -> ending.endsWith(".json")
                            || index.contains(file.getFileName().toString().replace(ending, "")))
                    .findFirst()
                    .orElse(null);
            assertNotNull(found, ending);
            return found;
        }
    }

    private static String path(PreparedCorpus corpus) {
        return corpus.folder().replaceFirst("^file:", "");
    }

    private static PreparedCorpus prepare(Settings settings) throws IOException {
        return CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
    }

    private static List<Batch> batches(Settings settings, PreparedCorpus corpus) throws IOException {
        return corpus.source()
                .evaluation(
                        corpus.source().shards(Split.Part.VALIDATION).get(0), settings.training(), session.hadoop());
    }

    private static List<String> describe(List<Batch> batches) {
        return batches.stream()
                .map(batch -> Arrays.toString(batch.inputs()) + Arrays.toString(batch.targets()))
                .toList();
    }
}
