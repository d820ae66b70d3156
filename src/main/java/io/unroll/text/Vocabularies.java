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

/** A task's vocabularies by their names; each is a file in a folder, {@code NAME.json}. */
public final class Vocabularies implements Serializable {
    private static final long serialVersionUID = 1;

    /** What the recurrent layers read. */
    public static final String TOKENS = "vocabulary";

    private final LinkedHashMap<String, Vocabulary> all;

    public Vocabularies(Map<String, Vocabulary> all) {
        this.all = new LinkedHashMap<>(all);
    }

    public Vocabulary tokens() {
        return all.get(TOKENS);
    }

    public Vocabulary of(String name) {
        return all.get(name);
    }

    /** @return by their names, in the order of their tokens */
    public Map<String, List<String>> symbols() {
        Map<String, List<String>> symbols = new TreeMap<>();
        all.forEach((name, vocabulary) -> symbols.put(name, vocabulary.symbols()));
        return symbols;
    }

    /** @return a checksum of {@link #symbols} */
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
     * @param starts what each starts with, whatever the corpus
     * @param origin of these starts, for messages
     * @throws IllegalArgumentException where one is not of them
     */
    public void checkStart(Map<String, Vocabulary> starts, String origin) {
        starts.forEach((name, start) -> {
            if (all.get(name).size() < 2 || !all.get(name).startsWith(start)) {
                throw new IllegalArgumentException(file(name) + " and " + origin
                        + " disagree: its symbols are not those that the tokenizer makes");
            }
        });
    }

    public boolean haveSameSymbols(Vocabularies other) {
        return all.keySet().equals(other.all.keySet())
                && all.keySet().stream().allMatch(name -> all.get(name).hasSameSymbols(other.all.get(name)));
    }

    public void write(FileSystem fs, Path folder) throws IOException {
        for (Map.Entry<String, Vocabulary> each : all.entrySet()) {
            Vocabulary.FILE.write(fs, new Path(folder, file(each.getKey())), each.getValue());
        }
    }

    /** Deletes what {@link #write} has written of these names. */
    public static void delete(FileSystem fs, Path folder, List<String> names) throws IOException {
        for (String name : names) {
            fs.delete(new Path(folder, file(name)), false);
        }
    }

    public static Vocabularies read(FileSystem fs, Path folder, List<String> names) throws IOException {
        Map<String, Vocabulary> all = new LinkedHashMap<>();
        for (String name : names) {
            all.put(name, Vocabulary.FILE.read(fs, new Path(folder, file(name))));
        }
        return new Vocabularies(all);
    }
}
