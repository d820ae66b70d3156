package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.unroll.config.DamagedFileException;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.storage.JsonFile;
import io.unroll.storage.VocabularyFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntConsumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerFilesTest {
    private static final String TEXT = "the cat\nthe hat ß\n";

    @TempDir
    private java.nio.file.Path folder;

    private FileSystem fs;

    @BeforeEach
    void open() throws IOException {
        fs = FileSystem.getLocal(new Configuration());
    }

    @ParameterizedTest
    @EnumSource
    void everyKindIsReadFromItsFile(TokenizerName kind) throws IOException {
        for (Tokenizer untrained : List.of(Tokenizer.ofText(corpus(kind)), Tokenizer.ofField(kind, "<start>"))) {
            Tokenizer trained = train(untrained, kind);
            VocabularyFiles.write(fs, path(), new Vocabularies(Map.of(Vocabularies.TOKENS, trained)));

            Tokenizer found = VocabularyFiles.read(fs, path(), List.of(Vocabularies.TOKENS))
                    .tokens();

            assertEquals(trained.getClass(), found.getClass());
            assertEquals(trained.symbols(), found.symbols());
            assertArrayEquals(trained.encode(TEXT), found.encode(TEXT));
            assertEquals(TEXT, found.decode(found.encode(TEXT)));
        }
    }

    /** Earlier versions wrote this. */
    @Test
    void jsonHasTheKindAndTheSymbols() throws IOException {
        VocabularyFiles.write(
                fs,
                path(),
                new Vocabularies(Map.of(
                        "words",
                        Tokenizer.of(TokenizerName.WORD, List.of("<unk>", "a")),
                        "labels",
                        new Vocabulary(null, List.of("a", "b")))));

        assertEquals(
                """
                {
                  "format" : "unroll-vocabulary",
                  "version" : 1,
                  "tokenizer" : "WORD",
                  "symbols" : [ "<unk>", "a" ]
                }""",
                Files.readString(folder.resolve("words.json")));
        assertEquals(
                """
                {
                  "format" : "unroll-vocabulary",
                  "version" : 1,
                  "tokenizer" : null,
                  "symbols" : [ "a", "b" ]
                }""",
                Files.readString(folder.resolve("labels.json")));
        Vocabularies found = VocabularyFiles.read(fs, path(), List.of("words", "labels"));
        assertEquals(TokenizerName.WORD, found.tokenizer("words").kind());
        assertEquals(List.of("a", "b"), found.of("labels").symbols());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"MERGE\"", "\"Tokenizer\"", "7", "null"})
    void aFileWithoutAKnownKindIsNoTokenizer(String kind) throws IOException {
        Files.writeString(
                folder.resolve("vocabulary.json"),
                "{\"format\": \"unroll-vocabulary\", \"version\": 1, \"tokenizer\": " + kind + ", \"symbols\": []}");

        assertThrows(DamagedFileException.class, () -> VocabularyFiles.read(fs, path(), List.of("vocabulary"))
                .tokens());
    }

    @Test
    void aKindMayHaveStateOtherThanItsSymbols() throws IOException {
        MergingTokenizer untrained = new MergingTokenizer(List.of(Vocabulary.UNKNOWN), List.of());
        Tokenizer trained = train(untrained, TokenizerName.WORD);
        JsonFile<MergingTokenizer> file =
                new JsonFile<>(VocabularyFiles.FORMAT.format(), 1, MergingTokenizer.class, 1 << 20);
        VocabularyFiles.write(fs, path(), new Vocabularies(Map.of(Vocabularies.TOKENS, trained)));

        Tokenizer found = file.read(fs, VocabularyFiles.path(path(), Vocabularies.TOKENS));

        assertEquals(List.of("t", "h", "e", " ", "c", "at"), found.symbols("the cat"));
        assertArrayEquals(trained.encode(TEXT), found.encode(TEXT));
        assertEquals(TEXT, found.decode(found.encode(TEXT)));
    }

    /** Merges the most frequent pair of characters, like one step of byte-pair encoding. It is in no list of kinds. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NONE)
    private static final class MergingTokenizer extends Tokenizer {
        private final ArrayList<String> merges;

        MergingTokenizer(@JsonProperty("symbols") List<String> symbols, @JsonProperty("merges") List<String> merges) {
            super(null, symbols);
            this.merges = new ArrayList<>(merges);
        }

        @JsonProperty
        List<String> merges() {
            return merges;
        }

        @Override
        List<String> textSymbols(Settings.Corpus corpus) {
            return List.of(Vocabulary.UNKNOWN);
        }

        /** Trains on the counts of words. */
        @Override
        public MergingTokenizer train(Map<String, Long> words, Settings.Corpus corpus) {
            Set<String> symbols = new TreeSet<>();
            Map<String, Long> pairs = new TreeMap<>();
            words.forEach((word, count) -> {
                for (int i = 0; i < word.length(); i++) {
                    symbols.add(word.substring(i, i + 1));
                    pairs.merge(word.substring(i, Math.min(i + 2, word.length())), count, Long::sum);
                }
            });
            pairs.keySet().removeIf(pair -> pair.length() < 2);
            String best = Vocabulary.byFrequency(pairs).get(0);
            List<String> all = new ArrayList<>(symbols());
            all.add(best);
            all.addAll(symbols);
            return new MergingTokenizer(all, List.of(best));
        }

        @Override
        public Boundary boundary() {
            return Boundary.LINE;
        }

        @Override
        public void count(TextInput in, Malformed malformed, SymbolCounter words) throws IOException {
            count(text(in), words);
        }

        @Override
        public void count(String text, SymbolCounter words) {
            List.of(text.split("(?=\\s)")).forEach(words::add);
        }

        private static String text(TextInput in) throws IOException {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }

        @Override
        public void encode(TextInput in, Malformed malformed, IntConsumer tokens) throws IOException {
            for (int token : encode(text(in))) {
                tokens.accept(token);
            }
        }

        @Override
        List<String> symbols(String text) {
            List<String> symbols = new ArrayList<>();
            for (int i = 0;
                    i < text.length();
                    i += symbols.get(symbols.size() - 1).length()) {
                int start = i;
                symbols.add(merges.stream()
                        .filter(merge -> text.startsWith(merge, start))
                        .findFirst()
                        .orElse(text.substring(i, i + 1)));
            }
            return symbols;
        }

        @Override
        public Decoder decoder() {
            return token -> symbol(token).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static Tokenizer train(Tokenizer untrained, TokenizerName kind) {
        SymbolCounter counter = new SymbolCounter();
        untrained.count(TEXT, counter);
        return untrained.train(counter.counts(), corpus(kind));
    }

    private static Settings.Corpus corpus(TokenizerName kind) {
        return SettingsReader.parse(
                        "run.directory = r, corpus { path = t, tokenizer = "
                                + kind.name().toLowerCase(Locale.ROOT) + " }",
                        "test")
                .corpus();
    }

    private Path path() {
        return new Path(folder.toString());
    }
}
