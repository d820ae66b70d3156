package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileSplit;
import io.unroll.storage.SplitInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final Settings.Corpus CHAR = corpus("char");
    private static final Settings.Corpus REPLACING = corpus("char, malformed = replace");
    private static final Settings.Corpus BYTE = corpus("byte");
    private static final Settings.Corpus WORD = corpus("word");

    @TempDir
    private Path folder;

    private final Configuration hadoop = new Configuration();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 5, 7, 64, 1 << 20})
    void decodedCharsAndBytesEqualTheFileForEverySliceSize(long sliceBytes) throws IOException {
        Path file = write("text", MIXED_TEXT.getBytes(StandardCharsets.UTF_8));

        for (Settings.Corpus corpus : List.of(CHAR, BYTE)) {
            assertArrayEquals(Files.readAllBytes(file), encodedAndDecoded(corpus, file, sliceBytes));
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
        Tokenizer tokenizer = train(WORD, file, sliceBytes);

        List<String> words = IntStream.of(tokens(WORD, file, sliceBytes))
                .mapToObj(tokenizer::symbol)
                .toList();

        assertEquals(List.of("der", "Wein", "<eos>", "das", "Maß", "der", "<eos>", "last"), words);
    }

    @Test
    void rareWordsBecomeUnknown() throws IOException {
        Path file = write("words", "a a a b b c\n".getBytes(StandardCharsets.UTF_8));

        Tokenizer limited = train(corpus("word, min-count = 2, max-vocabulary = 3"), file, 1 << 20);

        assertEquals(List.of("<unk>", "<eos>", "a"), limited.symbols());
        assertArrayEquals(new int[] {2, 2, 2, 0, 0, 0, 1}, limited.encode("a a a b b c\n"));
        assertEquals("a\na <unk>", new String(decode(limited, 2, 1, 2, 0), StandardCharsets.UTF_8));
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
        Tokenizer tokenizer = train(CHAR, write("ab", new byte[] {'a', 'b'}), 100);

        String message = assertThrows(UnknownSymbolException.class, () -> tokenizer.encode("aßb"))
                .getMessage();

        assertTrue(message.startsWith("the text contains \"ß\" (U+00DF)"), message);
    }

    private Path write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    private byte[] encodedAndDecoded(Settings.Corpus corpus, Path file, long sliceBytes) throws IOException {
        return decode(train(corpus, file, sliceBytes), tokens(corpus, file, sliceBytes));
    }

    private static byte[] decode(Tokenizer tokenizer, int... tokens) {
        Tokenizer.Decoder decoder = tokenizer.decoder();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        IntStream.of(tokens).forEach(token -> bytes.writeBytes(decoder.decode(token)));
        return bytes.toByteArray();
    }

    private static Settings.Corpus corpus(String tokenizer) {
        return SettingsReader.parse("run.directory = r, corpus { path = t, tokenizer = " + tokenizer + " }", "test")
                .corpus();
    }

    private Tokenizer train(Settings.Corpus corpus, Path file, long sliceBytes) throws IOException {
        return Tokenizer.ofText(corpus).train(count(corpus, file, sliceBytes), corpus);
    }

    private Map<String, Long> count(Settings.Corpus corpus, Path file, long sliceBytes) throws IOException {
        Tokenizer untrained = Tokenizer.ofText(corpus);
        SymbolCounter counter = new SymbolCounter();
        for (FileSplit slice : slices(file, sliceBytes)) {
            try (SplitInput in = SplitInput.open(slice, untrained.boundary(), hadoop)) {
                untrained.count(in, corpus.malformed(), counter);
            }
        }
        return counter.counts();
    }

    private int[] tokens(Settings.Corpus corpus, Path file, long sliceBytes) throws IOException {
        Tokenizer tokenizer = train(corpus, file, sliceBytes);
        IntStream.Builder tokens = IntStream.builder();
        for (FileSplit slice : slices(file, sliceBytes)) {
            try (SplitInput in = SplitInput.open(slice, tokenizer.boundary(), hadoop)) {
                tokenizer.encode(in, corpus.malformed(), tokens);
            }
        }
        return tokens.build().toArray();
    }

    private List<FileSplit> slices(Path file, long sliceBytes) {
        return CorpusFiles.parts(file.toString(), sliceBytes, hadoop).stream()
                .flatMap(List::stream)
                .toList();
    }
}
