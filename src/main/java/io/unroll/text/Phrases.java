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
 * Texts that are values of a row: a tokenizer's symbols, and one for those that training has not seen.
 *
 * @param minCount a symbol that is seen fewer times is unknown
 */
public record Phrases(Settings.TokenizerName name, Tokenizer tokenizer, int minCount, int maxVocabulary)
        implements Serializable {
    public static final String UNKNOWN = "<unk>";

    public static Phrases of(Settings.Corpus corpus, Settings.TokenizerName name) {
        return new Phrases(name, Tokenizer.of(name, corpus), corpus.minCount(), corpus.maxVocabulary());
    }

    public void count(String text, Map<String, Long> counts) {
        tokenizer.symbols(text).forEach(symbol -> counts.merge(symbol, 1L, Long::sum));
    }

    /** @param special symbols that come after the unknown one, and before all others */
    public Vocabulary vocabulary(Map<String, Long> counts, String... special) {
        List<String> first =
                Stream.concat(Stream.of(UNKNOWN), Stream.of(special)).toList();
        long limit = maxVocabulary == 0 ? Long.MAX_VALUE : Math.max(0, maxVocabulary - first.size());
        Stream<String> symbols = Vocabulary.byFrequency(counts).stream()
                .filter(symbol -> counts.get(symbol) >= minCount && !first.contains(symbol))
                .limit(limit);
        return new Vocabulary(name, Stream.concat(first.stream(), symbols).toList());
    }

    /** @return of the text's symbols those that become {@link #UNKNOWN} */
    public List<String> unknown(String text, Vocabulary vocabulary) {
        return unknown(tokenizer, text, vocabulary);
    }

    /** @return the same for a vocabulary that has {@link #UNKNOWN} */
    public static List<String> unknown(Tokenizer tokenizer, String text, Vocabulary vocabulary) {
        int unknown = vocabulary.id(UNKNOWN);
        return tokenizer.symbols(text).stream()
                .filter(symbol -> vocabulary.wordId(symbol) == unknown)
                .toList();
    }

    public int[] encode(String text, Vocabulary vocabulary) {
        return tokenizer.symbols(text).stream().mapToInt(vocabulary::wordId).toArray();
    }

    public String decode(int[] tokens, Vocabulary vocabulary) {
        String between = name == Settings.TokenizerName.WORD ? " " : "";
        String text = IntStream.of(tokens).mapToObj(vocabulary::symbol).collect(Collectors.joining(between));
        // A byte's symbol is the character of that number.
        return name == Settings.TokenizerName.BYTE
                ? new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8)
                : text;
    }
}
