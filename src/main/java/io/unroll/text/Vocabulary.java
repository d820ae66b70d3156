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

/** The list of all symbols of a tokenizer. The token (token id) of a symbol is its index in the list. */
public final class Vocabulary implements Serializable {
    public static final JsonFile<Vocabulary> FILE = new JsonFile<>("unroll-vocabulary", 1, Vocabulary.class, 1 << 28);

    private final TokenizerName tokenizer;
    private final ArrayList<String> symbols;
    private final HashMap<String, Integer> ids = new HashMap<>();

    /** @throws IllegalArgumentException if a symbol is empty or a duplicate */
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

    /** @return the token of the symbol, or -1 if it is not in the vocabulary */
    public int id(String symbol) {
        return ids.getOrDefault(symbol, -1);
    }

    /** @return whether {@code values[from, to)} are all tokens of this vocabulary */
    public boolean hasTokens(int[] values, int from, int to) {
        return from >= 0
                && from <= to
                && to <= values.length
                && Arrays.stream(values, from, to).allMatch(token -> token >= 0 && token < size());
    }

    public boolean hasSameSymbols(Vocabulary other) {
        return ids.keySet().equals(other.ids.keySet());
    }

    /** @return whether both have the same tokenizer, and this vocabulary starts with the symbols of the prefix */
    boolean startsWith(Vocabulary prefix) {
        return tokenizer == prefix.tokenizer
                && symbols.size() >= prefix.size()
                && symbols.subList(0, prefix.size()).equals(prefix.symbols);
    }

    /** @return the token of the symbol, or of {@code <unk>} if it is not in the vocabulary */
    int idOrUnknown(String symbol) {
        Integer id = ids.get(symbol);
        return id != null ? id : id(WordTokenizer.UNKNOWN);
    }

    /** @return the token of each code point, at the index of the code point; -1 if it is not in the vocabulary */
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

    /** @return the symbols by descending frequency, then in natural order */
    static List<String> byFrequency(Map<String, Long> counts) {
        return counts.keySet().stream()
                .sorted(Comparator.comparing((String symbol) -> -counts.get(symbol))
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }
}
