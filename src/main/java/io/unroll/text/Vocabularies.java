package io.unroll.text;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The vocabularies of a task, by name; each is stored in a file {@code NAME.json}. */
public final class Vocabularies implements Serializable {
    private static final long serialVersionUID = 1;

    /** Name of the vocabulary of the recurrent layers. */
    public static final String TOKENS = "vocabulary";

    private final LinkedHashMap<String, Vocabulary> byName;

    public Vocabularies(Map<String, Vocabulary> byName) {
        this.byName = new LinkedHashMap<>(byName);
    }

    public Vocabulary tokens() {
        return byName.get(TOKENS);
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

    /** @return the name of the file that a vocabulary is stored in */
    public static String file(String name) {
        return name + ".json";
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
                        file(name) + " does not match " + origin + ": its symbols are not those of the tokenizer");
            }
        });
    }

    public boolean haveSameSymbols(Vocabularies other) {
        return byName.keySet().equals(other.byName.keySet())
                && byName.keySet().stream().allMatch(name -> byName.get(name).hasSameSymbols(other.byName.get(name)));
    }

    public void write(FileSystem fs, Path folder) throws IOException {
        for (Map.Entry<String, Vocabulary> entry : byName.entrySet()) {
            Vocabulary.FILE.write(fs, new Path(folder, file(entry.getKey())), entry.getValue());
        }
    }

    /** Deletes the files of the vocabularies with these names. */
    public static void delete(FileSystem fs, Path folder, List<String> names) throws IOException {
        for (String name : names) {
            fs.delete(new Path(folder, file(name)), false);
        }
    }

    public static Vocabularies read(FileSystem fs, Path folder, List<String> names) throws IOException {
        Map<String, Vocabulary> byName = new LinkedHashMap<>();
        for (String name : names) {
            byName.put(name, Vocabulary.FILE.read(fs, new Path(folder, file(name))));
        }
        return new Vocabularies(byName);
    }
}
