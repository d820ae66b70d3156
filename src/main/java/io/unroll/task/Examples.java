package io.unroll.task;

import io.unroll.chunk.Collator;
import io.unroll.text.Row;
import io.unroll.text.RowFiles;
import io.unroll.text.Vocabularies;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** How a task's rows become examples. */
public interface Examples extends Collator {
    /** @throws io.unroll.config.ConfigurationException where something cannot be used that all rows need */
    default void check(Configuration hadoop) {}

    /** @return what a row must hold, by the names of {@code corpus.columns} */
    List<String> columns();

    /**
     * @return the content of the files that the row names; empty if it names none
     * @throws io.unroll.text.MalformedRowException where the row cannot be used
     */
    int[] read(Row row, RowFiles files);

    /**
     * @throws io.unroll.text.MalformedRowException where the row cannot be used with vocabularies that are not its
     * corpus'
     */
    default void check(Row row, Vocabularies vocabularies) {}

    /** Adds what the row, which can be used, holds of each vocabulary's symbols. */
    void count(Row row, Map<String, Map<String, Long>> counts);

    Vocabularies vocabularies(Map<String, Map<String, Long>> counts);

    /**
     * @param read of the row
     * @throws io.unroll.text.MalformedRowException where training has not seen its like
     */
    int[] encode(Row row, int[] read, Vocabularies vocabularies);

    /** @return whether {@link #encode} can have made it: a prepared file may be damaged or of others */
    boolean isExample(int[] example, Vocabularies vocabularies);

    /**
     * Files whose content decides, too, what a row's example is.
     *
     * @param key of the setting that gives the path
     * @param named rows name them, so their names decide as well
     */
    record Files(String key, String path, boolean named) {}

    default List<Files> files() {
        return List.of();
    }

    /** @return bytes of an example that are not of its row */
    default long sourceBytes() {
        return 0;
    }

    /** @return the settings that decide what a row's example is, as text */
    List<Object> key();

    /** @return rows of which validation and test get the same share each */
    default String stratum(Row row) {
        return "";
    }

    /** @return rows that have this in common stay together in training, validation or test */
    String group(Row row);
}
