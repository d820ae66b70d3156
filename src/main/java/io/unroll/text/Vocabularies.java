package io.unroll.text;

import io.unroll.config.DamagedFileException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** The vocabularies of a task, by name. */
public final class Vocabularies implements Serializable {
    /** Name of the vocabulary of the recurrent layers. */
    public static final String TOKENS = "vocabulary";

    private final LinkedHashMap<String, Vocabulary> byName;

    public Vocabularies(Map<String, Vocabulary> byName) {
        this.byName = new LinkedHashMap<>(byName);
    }

    public Tokenizer tokens() {
        return tokenizer(TOKENS);
    }

    public Tokenizer tokenizer(String name) {
        if (byName.get(name) instanceof Tokenizer tokenizer) {
            return tokenizer;
        }
        throw new DamagedFileException(name + ".json is damaged: it names no tokenizer.", null);
    }

    public Vocabulary of(String name) {
        return byName.get(name);
    }

    /** @return the symbols of each vocabulary, in the order of their tokens, by vocabulary name */
    public Map<String, List<String>> symbols() {
        Map<String, List<String>> symbols = new TreeMap<>();
        byName.forEach((name, vocabulary) -> symbols.put(name, vocabulary.symbols()));
        return symbols;
    }

    /** @return the CRC-32C of {@link #symbols} */
    public long checksum() {
        CRC32C checksum = new CRC32C();
        checksum.update(symbols().toString().getBytes(StandardCharsets.UTF_8));
        return checksum.getValue();
    }

    /**
     * Checks that the vocabularies were made with the current settings.
     *
     * @param prefixes the symbols that each vocabulary must start with
     * @param origin where the prefixes come from, for messages
     * @throws IllegalArgumentException if a vocabulary does not start with its prefix
     */
    public void checkPrefixes(Map<String, Vocabulary> prefixes, String origin) {
        prefixes.forEach((name, prefix) -> {
            if (byName.get(name).size() < 2 || !byName.get(name).startsWith(prefix)) {
                throw new IllegalArgumentException(
                        name + ".json does not match " + origin + ": its symbols are not those of the tokenizer");
            }
        });
    }

    public Set<String> names() {
        return byName.keySet();
    }

    public boolean haveSameSymbols(Vocabularies other) {
        return byName.keySet().equals(other.byName.keySet())
                && byName.keySet().stream().allMatch(name -> byName.get(name).hasSameSymbols(other.byName.get(name)));
    }
}
