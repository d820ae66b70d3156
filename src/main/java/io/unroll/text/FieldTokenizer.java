package io.unroll.text;

import io.unroll.config.Settings;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tokenizer for a column of a table. Symbols that are not in the vocabulary become {@link #UNKNOWN}.
 *
 * @param minCount minimum number of occurrences of a symbol in the vocabulary
 * @param maxVocabulary maximum size of the vocabulary; 0 for no limit
 */
public record FieldTokenizer(Settings.TokenizerName name, Tokenizer tokenizer, int minCount, int maxVocabulary)
        implements Serializable {
    public static final String UNKNOWN = "<unk>";

    public static FieldTokenizer of(Settings.Corpus corpus, Settings.TokenizerName name) {
        return new FieldTokenizer(name, Tokenizer.of(name, corpus), corpus.minCount(), corpus.maxVocabulary());
    }

    public void count(String text, Map<String, Long> counts) {
        tokenizer.symbols(text).forEach(symbol -> counts.merge(symbol, 1L, Long::sum));
    }

    /** @param special symbols that follow {@link #UNKNOWN} at the start of the vocabulary */
    public Vocabulary vocabulary(Map<String, Long> counts, String... special) {
        List<String> prefix =
                Stream.concat(Stream.of(UNKNOWN), Stream.of(special)).toList();
        long limit = maxVocabulary == 0 ? Long.MAX_VALUE : Math.max(0, maxVocabulary - prefix.size());
        Stream<String> symbols = Vocabulary.byFrequency(counts).stream()
                .filter(symbol -> counts.get(symbol) >= minCount && !prefix.contains(symbol))
                .limit(limit);
        return new Vocabulary(name, Stream.concat(prefix.stream(), symbols).toList());
    }

    /** @return the symbols of the text that become {@link #UNKNOWN} */
    public List<String> unknownSymbols(String text, Vocabulary vocabulary) {
        return unknownSymbols(tokenizer, text, vocabulary);
    }

    /** @param vocabulary a vocabulary with {@link #UNKNOWN} */
    public static List<String> unknownSymbols(Tokenizer tokenizer, String text, Vocabulary vocabulary) {
        int unknown = vocabulary.id(UNKNOWN);
        return tokenizer.symbols(text).stream()
                .filter(symbol -> vocabulary.idOrUnknown(symbol) == unknown)
                .toList();
    }

    public int[] encode(String text, Vocabulary vocabulary) {
        return tokenizer.symbols(text).stream()
                .mapToInt(vocabulary::idOrUnknown)
                .toArray();
    }

    public String decode(int[] tokens, Vocabulary vocabulary) {
        String separator = name == Settings.TokenizerName.WORD ? " " : "";
        String text = IntStream.of(tokens).mapToObj(vocabulary::symbol).collect(Collectors.joining(separator));
        // The symbol of a byte is the character with the same number.
        return name == Settings.TokenizerName.BYTE
                ? new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8)
                : text;
    }
}
