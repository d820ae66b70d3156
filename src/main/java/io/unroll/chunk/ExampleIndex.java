package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import java.io.Serializable;
import java.util.List;

/**
 * What the example files of a prepared corpus hold; written last, so a folder that has one is whole. The examples of
 * the training part come first, then those for validation, then those for the test; each part in random order.
 *
 * @param corpus hash of the corpus' content
 * @param longest steps of the longest example
 * @param tokens that all examples together are read and predicted with
 * @param skipped rows that were malformed
 */
public record ExampleIndex(
        String corpus,
        List<Part> parts,
        long training,
        long validation,
        long test,
        int longest,
        long tokens,
        long skipped)
        implements Serializable {
    public static final JsonFile<ExampleIndex> FILE = new JsonFile<>("unroll-examples", 1, ExampleIndex.class);

    public record Part(String file, int examples) implements Serializable {}

    @JsonIgnore
    public long examples() {
        return training + validation + test;
    }
}
