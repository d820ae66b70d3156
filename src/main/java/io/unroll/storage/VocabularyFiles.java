package io.unroll.storage;

import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads and writes vocabularies, each as a file {@code NAME.json}. */
public final class VocabularyFiles {
    public static final JsonFile<Vocabulary> FORMAT = new JsonFile<>("unroll-vocabulary", 1, Vocabulary.class, 1 << 28);

    private VocabularyFiles() {}

    public static Path path(Path folder, String name) {
        return new Path(folder, name + ".json");
    }

    public static void write(FileSystem fs, Path folder, Vocabularies vocabularies) throws IOException {
        for (String name : vocabularies.names()) {
            FORMAT.write(fs, path(folder, name), vocabularies.of(name));
        }
    }

    public static void delete(FileSystem fs, Path folder, List<String> names) throws IOException {
        for (String name : names) {
            fs.delete(path(folder, name), false);
        }
    }

    public static Vocabularies read(FileSystem fs, Path folder, List<String> names) throws IOException {
        Map<String, Vocabulary> byName = new LinkedHashMap<>();
        for (String name : names) {
            byName.put(name, FORMAT.read(fs, path(folder, name)));
        }
        return new Vocabularies(byName);
    }
}
