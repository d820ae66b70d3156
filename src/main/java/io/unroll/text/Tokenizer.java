package io.unroll.text;

import io.unroll.config.Settings;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Converts text to tokens and back. A token is the id of a symbol: a code point, a byte or a word. */
public interface Tokenizer extends Serializable {
    static Tokenizer of(Settings.Corpus corpus) {
        return of(corpus.tokenizer(), corpus);
    }

    static Tokenizer of(Settings.TokenizerName name, Settings.Corpus corpus) {
        return switch (name) {
            case CHAR -> new CharTokenizer(corpus.malformed());
            case BYTE -> new ByteTokenizer();
            case WORD -> new WordTokenizer(corpus.minCount(), corpus.maxVocabulary(), corpus.malformed());
        };
    }

    /** @return the boundary at which files must be cut, so that the slices have the same tokens as the entire file */
    Slice.Boundary boundary();

    /** Adds the number of each symbol in the slice to {@code counts}. */
    void count(SliceInput in, Map<String, Long> counts) throws IOException;

    /** @return the vocabulary of a corpus with these symbol counts */
    Vocabulary vocabulary(Map<String, Long> counts);

    /** @throws UnknownSymbolException at the first symbol that is not in the vocabulary */
    void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException;

    /** @throws UnknownSymbolException at the first symbol that is not in the vocabulary */
    int[] encode(String text, Vocabulary vocabulary);

    /** @return the symbols of the text */
    List<String> symbols(String text);

    Decoder decoder(Vocabulary vocabulary);

    /** Converts a sequence of tokens to UTF-8, one token at a time. */
    interface Decoder {
        byte[] decode(int token);
    }
}
