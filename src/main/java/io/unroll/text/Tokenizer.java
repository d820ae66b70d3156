package io.unroll.text;

import io.unroll.config.Settings;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** How text becomes tokens. What it counts, encodes and decodes are symbols: a code point, a byte or a word. */
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

    /** @return where a file may be cut so that its slices give the tokens of the whole */
    Slice.Boundary boundary();

    /** Adds what the slice holds of each symbol. */
    void count(SliceInput in, Map<String, Long> counts) throws IOException;

    /** @return the vocabulary of a corpus in which each symbol occurs so many times */
    Vocabulary vocabulary(Map<String, Long> counts);

    /** @throws UnknownSymbolException at the first symbol that is not in the vocabulary */
    void encode(SliceInput in, Vocabulary vocabulary, IntConsumer tokens) throws IOException;

    /** @throws UnknownSymbolException at the first symbol that is not in the vocabulary */
    int[] encode(String text, Vocabulary vocabulary);

    /** @return the text's symbols, as a vocabulary has them */
    List<String> symbols(String text);

    Decoder decoder(Vocabulary vocabulary);

    /** Turns tokens back into UTF-8, one by one. */
    interface Decoder {
        byte[] decode(int token);
    }
}
