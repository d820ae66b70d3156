package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import io.unroll.config.Settings;
import io.unroll.config.Settings.Malformed;
import io.unroll.config.Settings.TokenizerName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * Converts text to tokens and back. A token is the id of a symbol: a code point, a byte or a word. A new kind of
 * tokenizer is a subclass, which has all its state in its JSON, and is listed here and in {@link TokenizerName}.
 */
@JsonSubTypes({
    @JsonSubTypes.Type(name = "CHAR", value = CharTokenizer.class),
    @JsonSubTypes.Type(name = "BYTE", value = ByteTokenizer.class),
    @JsonSubTypes.Type(name = "WORD", value = WordTokenizer.class)
})
public abstract class Tokenizer extends Vocabulary {
    Tokenizer(TokenizerName kind, List<String> symbols) {
        super(kind, symbols);
    }

    public static Tokenizer of(TokenizerName kind, List<String> symbols) {
        return switch (kind) {
            case CHAR -> new CharTokenizer(symbols);
            case BYTE -> new ByteTokenizer(symbols);
            case WORD -> new WordTokenizer(symbols);
        };
    }

    /** @return an untrained tokenizer for a corpus that is one text */
    public static Tokenizer ofText(Settings.Corpus corpus) {
        return of(corpus.tokenizer(), of(corpus.tokenizer(), List.of()).textSymbols(corpus));
    }

    /** @return an untrained tokenizer for a field of rows, with {@code <unk>} and then the special symbols */
    public static Tokenizer ofField(TokenizerName kind, String... special) {
        return of(kind, Stream.concat(Stream.of(UNKNOWN), Stream.of(special)).toList());
    }

    /** @return the first symbols of a tokenizer for a corpus that is one text */
    abstract List<String> textSymbols(Settings.Corpus corpus);

    /** @return a tokenizer with the symbols of this untrained one, followed by the most frequent ones of a corpus */
    public Tokenizer train(Map<String, Long> counts, Settings.Corpus corpus) {
        long limit = corpus.maxVocabulary() == 0 ? Long.MAX_VALUE : Math.max(0, corpus.maxVocabulary() - size());
        Stream<String> frequent = byFrequency(counts).stream()
                .filter(symbol -> counts.get(symbol) >= corpus.minCount() && id(symbol) < 0)
                .limit(limit);
        return of(kind(), Stream.concat(symbols().stream(), frequent).toList());
    }

    /** @return the settings that determine the tokens, for the name of a prepared corpus' folder */
    public String key(Settings.Corpus corpus) {
        return kind() + " " + corpus.minCount() + " " + corpus.maxVocabulary() + " " + corpus.malformed();
    }

    /** @return the boundary at which files must be cut, so that the slices have the same tokens as the entire file */
    public abstract Boundary boundary();

    /** Adds the number of each symbol in the slice to the counter. */
    public abstract void count(TextInput in, Malformed malformed, SymbolCounter counter) throws IOException;

    public void count(String text, SymbolCounter counter) {
        symbols(text).forEach(counter::add);
    }

    /** @throws UnknownSymbolException at the first symbol that is not in a vocabulary without {@code <unk>} */
    public abstract void encode(TextInput in, Malformed malformed, IntConsumer tokens) throws IOException;

    /** @throws UnknownSymbolException at the first symbol that is not in a vocabulary without {@code <unk>} */
    public int[] encode(String text) {
        return symbols(text).stream().mapToInt(this::idOrUnknown).toArray();
    }

    abstract List<String> symbols(String text);

    /** @return a symbol of the text, which may not be in the vocabulary */
    public String symbol(String text, int index) {
        return symbols(text).get(index);
    }

    /** @return the symbols of the text that become {@code <unk>}, which the vocabulary must contain */
    public List<String> unknownSymbols(String text) {
        int unknown = id(UNKNOWN);
        return symbols(text).stream()
                .filter(symbol -> idOrUnknown(symbol) == unknown)
                .toList();
    }

    public String decode(int[] tokens) {
        Decoder decoder = decoder();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int token : tokens) {
            text.writeBytes(decoder.decode(token));
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    public abstract Decoder decoder();

    /** Converts a sequence of tokens to UTF-8, one token at a time. */
    public interface Decoder {
        byte[] decode(int token);
    }
}
