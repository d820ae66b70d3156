package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.SequenceIndex.Part;
import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.UnrollException;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SequenceStoreTest {
    private static final Configuration HADOOP = new Configuration();
    private static final Vocabularies VOCABULARIES =
            new Vocabularies(Map.of(Vocabularies.TOKENS, Tokenizer.of(TokenizerName.CHAR, List.of("a", "b"))));

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"256,1", "257,2", "65536,2", "65537,4"})
    void readsTokensAcrossPartBorders(int vocabulary, int bytes) throws IOException {
        int[] tokens =
                IntStream.range(0, 100_000).map(i -> vocabulary - 1 - i % 250).toArray();
        SequenceStore store = stream(tokens, vocabulary);

        assertEquals(tokens.length, store.index().tokens());
        assertEquals(
                (long) tokens.length * bytes,
                store.index().fileLengths().entrySet().stream()
                        .filter(file -> file.getKey().endsWith(".bin"))
                        .mapToLong(Map.Entry::getValue)
                        .sum());
        try (SequenceReader reader = store.open(HADOOP)) {
            int[] read = new int[tokens.length];
            reader.read(0, read, 0, 10);
            reader.read(10, read, 10, 99_900);
            reader.read(99_910, read, 99_910, 90);
            assertArrayEquals(tokens, read);
            assertThrows(IndexOutOfBoundsException.class, () -> reader.read(99_999, read, 0, 2));
        }
    }

    /** Two sequences in each part: the first half of its tokens, and the second. */
    private SequenceStore stream(int[] tokens, int vocabulary) throws IOException {
        Example.Type type = new Example.Type(SequenceType.NONE, SequenceType.tokens(vocabulary));
        List<Part> parts = new ArrayList<>();
        int[] borders = {0, 30_000, 30_000, 95_000, tokens.length};
        for (int part = 0; part + 1 < borders.length; part++) {
            int middle = (borders[part] + borders[part + 1]) / 2;
            try (SequenceWriter writer = new SequenceWriter(folder.toString(), Section.STREAM, part, type, HADOOP)) {
                Arrays.stream(tokens, borders[part], middle).forEach(writer);
                writer.endSequence();
                Arrays.stream(tokens, middle, borders[part + 1]).forEach(writer);
                writer.endSequence();
                parts.add(writer.part());
            }
        }
        return new SequenceStore(
                folder.toString(), SequenceIndex.of("hash", type, parts, new TreeMap<>(), VOCABULARIES));
    }

    static Stream<Arguments> sources() {
        return Stream.of(
                Arguments.of(SequenceType.NONE, List.of(Sequence.NONE, Sequence.NONE, Sequence.NONE)),
                Arguments.of(SequenceType.TOKENS_8, List.of(tokens(3, 255), tokens(), tokens(1, 2, 3))),
                Arguments.of(SequenceType.TOKENS_16, List.of(tokens(3, 65535), tokens(), tokens(1, 2, 3))),
                Arguments.of(SequenceType.TOKENS_32, List.of(tokens(3, Integer.MAX_VALUE), tokens(), tokens(1, 2))),
                Arguments.of(SequenceType.PIXELS, List.of(pixels(0, 127, 128), pixels(255, 1, 2), pixels(3, 4, 5))),
                Arguments.of(
                        SequenceType.FEATURES,
                        List.of(features(1.5f, -0.0f), features(Float.MIN_VALUE, 3), features(-1e30f, 1))));
    }

    private static Sequence tokens(int... tokens) {
        return new Sequence.Tokens(tokens);
    }

    private static Sequence pixels(int... values) {
        return Sequence.Pixels.of(values);
    }

    private static Sequence features(float... values) {
        return new Sequence.Features(values);
    }

    @ParameterizedTest
    @MethodSource("sources")
    void readsExamplesFromAnyPosition(SequenceType source, List<Sequence> sources) throws IOException {
        List<Example> written = new ArrayList<>();
        boolean weighted = source == SequenceType.TOKENS_8;
        for (int i = 0; i < 50; i++) {
            int[] target = IntStream.range(0, i % 7).toArray();
            written.add(new Example(sources.get(i % 3), target, weighted ? i / 3f : 1));
        }
        Example.Type type = new Example.Type(source, SequenceType.TOKENS_8, weighted);
        SequenceStore store = store(written, type, 20, 0, 1, 29);

        try (SequenceReader reader = store.open(HADOOP)) {
            for (int from = 0; from < written.size(); from++) {
                for (int to = from; to <= written.size(); to += 7) {
                    assertEquals(describe(written.subList(from, to)), describe(reader.examples(from, to)));
                }
            }
        }
        assertEquals(written.size(), store.index().sequences());
        assertEquals(20, store.index().sequences(Section.TRAINING));
    }

    private static List<String> describe(List<Example> examples) {
        return examples.stream()
                .map(example -> example.source().getClass()
                        + Arrays.toString(example.source().toInts())
                        + Arrays.toString(example.target())
                        + example.weight())
                .toList();
    }

    private SequenceStore store(List<Example> examples, Example.Type type, int... sizes) throws IOException {
        List<Part> parts = new ArrayList<>();
        int next = 0;
        for (int size : sizes) {
            Section section = Section.values()[Math.min(parts.size() + 1, 3)];
            try (SequenceWriter writer = new SequenceWriter(folder.toString(), section, parts.size(), type, HADOOP)) {
                for (Example example : examples.subList(next, next + size)) {
                    writer.write(example.toBytes(type));
                }
                parts.add(writer.part());
            }
            next += size;
        }
        return new SequenceStore(
                folder.toString(), SequenceIndex.of("hash", type, parts, new TreeMap<>(), VOCABULARIES));
    }

    /** What the guide says about the files. */
    @Test
    void writesLittleEndianValuesAndEntries() throws IOException {
        List<Example> examples =
                List.of(new Example(tokens(258, 3), new int[] {1}), new Example(tokens(), new int[] {2, 0x01020304}));
        SequenceStore store =
                store(examples, new Example.Type(SequenceType.TOKENS_16, SequenceType.TOKENS_32), examples.size());
        Part part = store.index().parts().get(0);

        assertArrayEquals(
                new byte[] {2, 1, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 3, 2, 1},
                Files.readAllBytes(folder.resolve(part.name() + ".bin")));
        long[] entries = new long[6];
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve(part.name() + ".idx")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .get(entries);
        assertArrayEquals(new long[] {0, 2, 1, 8, 0, 2}, entries);
    }

    @Test
    void countsLengthsByPowersOfTwo() throws IOException {
        int[] lengths = {0, 1, 2, 3, 4, 5, 8, 9, 1000};
        List<Example> examples = Arrays.stream(lengths)
                .mapToObj(length -> new Example(tokens(new int[length]), new int[1]))
                .toList();
        SequenceIndex index = store(
                        examples, new Example.Type(SequenceType.TOKENS_8, SequenceType.LABELS), examples.size())
                .index();

        assertEquals(
                Map.of(0L, 1L, 1L, 1L, 2L, 1L, 4L, 2L, 8L, 2L, 16L, 1L, 1024L, 1L),
                index.parts().get(0).sources().histogram());
        assertEquals(1000, index.longest(Part::sources));
        assertEquals(1032, index.tokens(), "labels are no tokens");
    }

    @Test
    void indexIsTheSameAfterItIsReadAndAnyChangeIsFound() throws IOException {
        SequenceIndex written = stream(new int[100_000], 2).index();
        String json = new String(SequenceIndex.FILE.bytes(written), StandardCharsets.UTF_8);
        assertTrue(parse(json).isIntact("hash", VOCABULARIES));
        assertFalse(parse(json).isIntact("other", VOCABULARIES));
        assertFalse(parse(json)
                .isIntact(
                        "hash",
                        new Vocabularies(
                                Map.of(Vocabularies.TOKENS, Tokenizer.of(TokenizerName.CHAR, List.of("b", "a"))))));
        for (String change : List.of(
                "TOKENS_8/TOKENS_16",
                "\"STREAM\"/\"TEST\"",
                "\"skipped\" : { }/\"skipped\" : { \"it is empty\" : 1 }",
                "\"skipped\"/\"mine\"",
                "\"total\" : 30000/\"total\" : 30001",
                "\"longest\" : 15000/\"longest\" : 15",
                "\"16384\" : 2/\"16384\" : 3",
                "stream-0/x/../stream-0",
                "\"parts\"/\"mine\"",
                "\"type\"/\"mine\"")) {
            String[] replaced = change.split("/", 2);
            assertTrue(json.contains(replaced[0]), change);
            assertFalse(parse(json.replace(replaced[0], replaced[1])).isIntact("hash", VOCABULARIES), change);
        }
    }

    private static SequenceIndex parse(String json) throws IOException {
        return SequenceIndex.FILE.parse(json.getBytes(StandardCharsets.UTF_8), "index.json");
    }

    @ParameterizedTest
    @CsvSource({".bin", ".idx"})
    void namesChangedFiles(String ending) throws IOException {
        SequenceStore store = stream(new int[100_000], 10);
        Part part = store.index().parts().get(3);
        assertEquals("", SequenceStore.problem(folder.toString(), part, HADOOP));
        Path file = folder.resolve(part.name() + ending);
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(folder.resolve("." + file.getFileName() + ".crc"));

        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
        assertEquals(
                file.getFileName() + " has changed since it was written",
                SequenceStore.problem(folder.toString(), part, HADOOP));
        assertFailure(store, file.getFileName() + " is shorter than its index says: delete ");

        Files.delete(file);
        FileSystem.closeAll();
        assertEquals(file.getFileName() + " is missing", SequenceStore.problem(folder.toString(), part, HADOOP));
        assertFailure(store, file.getFileName() + " is missing. Set corpus.prepared to ");
    }

    private static void assertFailure(SequenceStore store, String problem) throws IOException {
        try (SequenceReader reader = store.open(HADOOP)) {
            String message = assertThrows(
                            UnrollException.class,
                            () -> reader.examples(
                                    store.index().sequences() - 1, store.index().sequences()))
                    .getMessage();
            assertTrue(message.contains(problem), message);
        }
    }
}
