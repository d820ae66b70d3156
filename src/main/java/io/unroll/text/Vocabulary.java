package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.unroll.config.Settings.TokenizerName;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which token stands for which symbol; a token is its symbol's place in the list. */
public final class Vocabulary implements Serializable {
    public static final JsonFile<Vocabulary> FILE = new JsonFile<>("unroll-vocabulary", 1, Vocabulary.class, 1 << 28);

    private final TokenizerName tokenizer;
    private final ArrayList<String> symbols;
    private final HashMap<String, Integer> ids = new HashMap<>();

    /** @throws IllegalArgumentException where a symbol is missing or not the only one of its kind */
    public Vocabulary(
            @JsonProperty("tokenizer") TokenizerName tokenizer, @JsonProperty("symbols") List<String> symbols) {
        this.tokenizer = tokenizer;
        if (symbols == null) {
            throw new IllegalArgumentException("it has no symbols");
        }
        this.symbols = new ArrayList<>(symbols);
        for (String symbol : symbols) {
            int id = ids.size();
            if (symbol == null || symbol.isEmpty()) {
                throw new IllegalArgumentException("symbol " + id + " is empty");
            }
            if (ids.put(symbol, id) != null) {
                throw new IllegalArgumentException("symbol " + id + ", \"" + symbol + "\", is a duplicate");
            }
        }
    }

    @JsonProperty
    public TokenizerName tokenizer() {
        return tokenizer;
    }

    @JsonProperty
    public List<String> symbols() {
        return symbols;
    }

    public int size() {
        return symbols.size();
    }

    public String symbol(int token) {
        return symbols.get(token);
    }

    /** @return the symbol's token, or -1 */
    public int id(String symbol) {
        return ids.getOrDefault(symbol, -1);
    }

    /** @return whether {@code [from, to)} are tokens */
    public boolean hasTokens(int[] values, int from, int to) {
        return from >= 0
                && from <= to
                && to <= values.length
                && Arrays.stream(values, from, to).allMatch(token -> token >= 0 && token < size());
    }

    public boolean hasSameSymbols(Vocabulary other) {
        return ids.keySet().equals(other.ids.keySet());
    }

    /** @return whether it is of the same tokenizer and has the other's symbols before all others */
    boolean startsWith(Vocabulary start) {
        return tokenizer == start.tokenizer
                && symbols.size() >= start.size()
                && symbols.subList(0, start.size()).equals(start.symbols);
    }

    int wordId(String word) {
        Integer id = ids.get(word);
        return id != null ? id : id(WordTokenizer.UNKNOWN);
    }

    /** @return for each code point its token, or -1; as long as the largest code point needs */
    int[] codePointIds() {
        int largest = symbols.stream().mapToInt(s -> s.codePointAt(0)).max().orElse(0);
        int[] table = new int[largest + 1];
        Arrays.fill(table, -1);
        ids.forEach((symbol, id) -> {
            if (symbol.codePointCount(0, symbol.length()) == 1) {
                table[symbol.codePointAt(0)] = id;
            }
        });
        return table;
    }

    /** @return the symbols, the most frequent first, those of equal count in their natural order */
    static List<String> byFrequency(Map<String, Long> counts) {
        return counts.keySet().stream()
                .sorted(Comparator.comparing((String symbol) -> -counts.get(symbol))
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }
}
