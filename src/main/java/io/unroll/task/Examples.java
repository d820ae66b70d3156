package io.unroll.task;

import io.unroll.chunk.Collator;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.storage.RowFiles;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Vocabularies;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** Converts the rows of a table to examples, and examples to batches, for one task. */
public interface Examples extends Collator {
    /** @throws io.unroll.config.ConfigurationException if a file that all rows need cannot be used */
    default void check(Configuration hadoop) {}

    /** @return the fields that a row must have, as keys of {@code corpus.columns} */
    List<String> columns();

    /**
     * Validates the values of a row; by default, they must not be blank.
     *
     * @throws io.unroll.text.MalformedRowException if the row cannot be used
     */
    default void check(Row row) {
        columns().forEach(column -> TargetSequences.checkNotBlank(row, column));
    }

    /** @return whether rows name files, which {@link #read} reads */
    default boolean readsFiles() {
        return false;
    }

    /**
     * Reads the file that a valid row names.
     *
     * @return the content of the file, such as the pixels of an image; {@link Sequence#NONE} if the row names no file
     * @throws io.unroll.text.MalformedRowException if the file cannot be used
     */
    default Sequence read(Row row, RowFiles files) {
        return Sequence.NONE;
    }

    /**
     * Validates a row against the vocabularies of another corpus.
     *
     * @throws io.unroll.text.MalformedRowException if the row cannot be used, for example because its label is unknown
     */
    default void check(Row row, Vocabularies vocabularies) {}

    /** Counts the symbols of a valid row. */
    void count(Row row, SymbolCounters counters);

    /** Creates the vocabularies from the symbol counts of all rows. */
    Vocabularies vocabularies(Map<String, Map<String, Long>> counts);

    /**
     * Encodes a row as an example.
     *
     * @param content what {@link #read} returned for the row
     * @throws io.unroll.text.MalformedRowException if its label is not in the vocabulary
     */
    Example encode(Row row, Sequence content, Vocabularies vocabularies);

    /** @return how the values of the examples are stored */
    Example.Type type(Vocabularies vocabularies);

    /**
     * Files whose content, in addition to the rows, determines the examples.
     *
     * @param key configuration key of the path
     * @param namesMatter whether rows refer to the files by name
     */
    record Files(String key, String path, boolean namesMatter) {}

    /** @return the files, other than those with the rows, that determine the examples */
    default List<Files> auxiliaryFiles() {
        return List.of();
    }

    /** @return the bytes in each example that do not come from its row, such as those of an image */
    default long extraBytesPerExample() {
        return 0;
    }

    /** @return the settings that determine the examples; their {@code toString} is part of the cache key */
    List<Object> cacheKey();

    /** @return the stratum of the row: every stratum is split in the same proportions */
    default String stratum(Row row) {
        return "";
    }

    /** @return the group of the row: the rows of a group are all in training, all in validation, or all in test */
    String group(Row row);
}
