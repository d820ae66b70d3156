package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings.Malformed;
import io.unroll.config.UnrollException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.BZip2Codec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final String MIXED_TEXT =
            "a\uFEFF\r\nb\rc\nd\u2028e\u0085é ß 漢字 \uD83D\uDE00\uD83D\uDE00 \n\n x\t y";
    private static final Tokenizer CHAR = new CharTokenizer(Malformed.ERROR);
    private static final Tokenizer REPLACING = new CharTokenizer(Malformed.REPLACE);
    private static final Tokenizer BYTE = new ByteTokenizer();
    private static final Tokenizer WORD = new WordTokenizer(1, 0, Malformed.ERROR);

    @TempDir
    private Path folder;

    private final Configuration hadoop = new Configuration();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 5, 7, 64, 1 << 20})
    void decodedCharsAndBytesEqualTheFileForEverySliceSize(long sliceBytes) throws IOException {
        Path file = write("text", MIXED_TEXT.getBytes(StandardCharsets.UTF_8));

        for (Tokenizer tokenizer : List.of(CHAR, BYTE)) {
            assertArrayEquals(Files.readAllBytes(file), encodedAndDecoded(tokenizer, file, sliceBytes));
        }
    }

    @Test
    void decodesRandomTextAcrossBufferLimits() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        StringBuilder text = new StringBuilder();
        while (text.length() < 300_000) {
            int codePoint = random.nextInt(1, random.nextBoolean() ? 0x80 : 0x110000);
            if (Character.getType(codePoint) != Character.SURROGATE) {
                text.appendCodePoint(codePoint);
            }
        }
        Path file = write("random", text.toString().getBytes(StandardCharsets.UTF_8));

        assertArrayEquals(Files.readAllBytes(file), encodedAndDecoded(CHAR, file, 10_007));
        assertArrayEquals(tokens(WORD, file, 1 << 30), tokens(WORD, file, 10_007));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 9})
    void wordsDoNotDependOnTheSliceSize(long sliceBytes) throws IOException {
        Path file = write("words", "der Wein\r\ndas Maß  der\rlast".getBytes(StandardCharsets.UTF_8));
        Vocabulary vocabulary = vocabulary(WORD, file, sliceBytes);

        List<String> words = IntStream.of(tokens(WORD, file, sliceBytes))
                .mapToObj(vocabulary::symbol)
                .toList();

        assertEquals(List.of("der", "Wein", "<eos>", "das", "Maß", "der", "<eos>", "last"), words);
    }

    @Test
    void rareWordsBecomeUnknown() throws IOException {
        Path file = write("words", "a a a b b c\n".getBytes(StandardCharsets.UTF_8));
        Tokenizer limited = new WordTokenizer(2, 3, Malformed.ERROR);

        Vocabulary vocabulary = vocabulary(limited, file, 1 << 20);

        assertEquals(List.of("<unk>", "<eos>", "a"), vocabulary.symbols());
        assertArrayEquals(new int[] {2, 2, 2, 0, 0, 0, 1}, limited.encode("a a a b b c\n", vocabulary));
        assertEquals("a\na <unk>", new String(decode(WORD, vocabulary, 2, 1, 2, 0), StandardCharsets.UTF_8));
    }

    @Test
    void readsCompressedFiles() throws IOException {
        byte[] text = MIXED_TEXT.repeat(50).getBytes(StandardCharsets.UTF_8);
        Path gz = folder.resolve("text.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(gz))) {
            out.write(text);
        }
        Path bz2 = folder.resolve("text.bz2");
        BZip2Codec codec = new BZip2Codec();
        codec.setConf(hadoop);
        try (OutputStream out = codec.createOutputStream(Files.newOutputStream(bz2))) {
            out.write(text);
        }

        assertArrayEquals(text, encodedAndDecoded(CHAR, gz, 16));
        assertArrayEquals(text, encodedAndDecoded(CHAR, bz2, 16));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 100})
    void invalidByteIsReportedWithItsOffset(long sliceBytes) throws IOException {
        Path file = write("latin1", "größer".getBytes(StandardCharsets.ISO_8859_1));

        String message = assertThrows(UnrollException.class, () -> count(CHAR, file, sliceBytes))
                .getMessage();

        assertTrue(message.contains("latin1: byte 2 is not text (0xF6 is not valid UTF-8)"), message);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 100})
    void replacementsAreTheSameForEverySliceSize(long sliceBytes) throws IOException {
        byte[] bytes = {'a', (byte) 0x80, (byte) 0x80, (byte) 0x80, 'b', (byte) 0xE6, (byte) 0xBC, 'c', 0, (byte) 0xF0};
        Path file = write("broken", bytes);

        assertEquals(
                new String(bytes, StandardCharsets.UTF_8).replace('\0', '\uFFFD'),
                new String(encodedAndDecoded(REPLACING, file, sliceBytes), StandardCharsets.UTF_8));
    }

    @Test
    void recognizesBinaryFiles() throws IOException {
        Path file = write("binary", new byte[] {'a', 'b', 0, 'c'});

        String message = assertThrows(UnrollException.class, () -> count(CHAR, file, 100))
                .getMessage();

        assertTrue(message.contains("binary: byte 2 is not text (a NUL byte"), message);
    }

    @Test
    void unknownCharacterIsNamed() throws IOException {
        Vocabulary vocabulary = vocabulary(CHAR, write("ab", new byte[] {'a', 'b'}), 100);

        String message = assertThrows(UnknownSymbolException.class, () -> CHAR.encode("aßb", vocabulary))
                .getMessage();

        assertTrue(message.startsWith("the text contains \"ß\" (U+00DF)"), message);
    }

    private Path write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    private byte[] encodedAndDecoded(Tokenizer tokenizer, Path file, long sliceBytes) throws IOException {
        return decode(tokenizer, vocabulary(tokenizer, file, sliceBytes), tokens(tokenizer, file, sliceBytes));
    }

    private static byte[] decode(Tokenizer tokenizer, Vocabulary vocabulary, int... tokens) {
        Tokenizer.Decoder decoder = tokenizer.decoder(vocabulary);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        IntStream.of(tokens).forEach(token -> bytes.writeBytes(decoder.decode(token)));
        return bytes.toByteArray();
    }

    private Vocabulary vocabulary(Tokenizer tokenizer, Path file, long sliceBytes) throws IOException {
        return tokenizer.vocabulary(count(tokenizer, file, sliceBytes));
    }

    private Map<String, Long> count(Tokenizer tokenizer, Path file, long sliceBytes) throws IOException {
        Map<String, Long> counts = new HashMap<>();
        for (Slice slice : slices(file, sliceBytes)) {
            try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                tokenizer.count(in, counts);
            }
        }
        return counts;
    }

    private int[] tokens(Tokenizer tokenizer, Path file, long sliceBytes) throws IOException {
        Vocabulary vocabulary = vocabulary(tokenizer, file, sliceBytes);
        IntStream.Builder tokens = IntStream.builder();
        for (Slice slice : slices(file, sliceBytes)) {
            try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                tokenizer.encode(in, vocabulary, tokens);
            }
        }
        return tokens.build().toArray();
    }

    private List<Slice> slices(Path file, long sliceBytes) {
        return CorpusFiles.parts(file.toString(), sliceBytes, hadoop).stream()
                .flatMap(List::stream)
                .toList();
    }
}
