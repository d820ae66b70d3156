package io.unroll.text;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.unroll.config.Settings.TokenizerName;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A list of symbols: those of a tokenizer, or labels. The token (token id) of a symbol is its index in the list.
 *
 * <p>JSON has the kind of the tokenizer, which Jackson uses to find the class; null for labels.
 */
@JsonTypeInfo(
        use = JsonTypeInfo.Id.NAME,
        include = JsonTypeInfo.As.EXISTING_PROPERTY,
        property = "tokenizer",
        visible = true,
        defaultImpl = Vocabulary.class)
@JsonSubTypes(@JsonSubTypes.Type(Tokenizer.class))
@JsonPropertyOrder({"tokenizer", "symbols"})
public class Vocabulary implements Serializable {
    /** The symbol that stands for all symbols that are not in the vocabulary. */
    public static final String UNKNOWN = "<unk>";

    private final TokenizerName kind;
    private final ArrayList<String> symbols;
    private final HashMap<String, Integer> ids = new HashMap<>();
    private transient int[] codePointIds;

    /**
     * @param kind of the tokenizer; null for labels
     * @throws IllegalArgumentException if a symbol is empty or a duplicate
     */
    public Vocabulary(@JsonProperty("tokenizer") TokenizerName kind, @JsonProperty("symbols") List<String> symbols) {
        this.kind = kind;
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

    @JsonProperty("tokenizer")
    public TokenizerName kind() {
        return kind;
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

    public boolean hasSameSymbols(Vocabulary other) {
        return ids.keySet().equals(other.ids.keySet());
    }

    /** @return whether both have the same kind of tokenizer, and this vocabulary starts with the symbols of the prefix */
    boolean startsWith(Vocabulary prefix) {
        return kind == prefix.kind
                && symbols.size() >= prefix.size()
                && symbols.subList(0, prefix.size()).equals(prefix.symbols);
    }

    /** @return the token of the symbol, or of {@code <unk>} if it is not in the vocabulary */
    int idOrUnknown(String symbol) {
        Integer id = ids.get(symbol);
        return id != null ? id : id(UNKNOWN);
    }

    /** @return the token of each code point, at the index of the code point; -1 if it is not in the vocabulary */
    int[] codePointIds() {
        if (codePointIds == null) {
            int largest = symbols.stream().mapToInt(s -> s.codePointAt(0)).max().orElse(0);
            int[] table = new int[largest + 1];
            Arrays.fill(table, -1);
            ids.forEach((symbol, id) -> {
                if (symbol.codePointCount(0, symbol.length()) == 1) {
                    table[symbol.codePointAt(0)] = id;
                }
            });
            codePointIds = table;
        }
        return codePointIds;
    }

    /** @return the symbols by descending frequency, then in natural order */
    static List<String> byFrequency(Map<String, Long> counts) {
        return counts.keySet().stream()
                .sorted(Comparator.comparing((String symbol) -> -counts.get(symbol))
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }
}
