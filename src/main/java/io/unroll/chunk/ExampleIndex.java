package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What the example files of a prepared corpus hold; written last, so a folder that has one is whole. The examples of
 * the training part come first, then those for validation, then those for the test; each part in random order.
 *
 * @param corpus hash of the corpus' content
 * @param longest steps of the longest example
 * @param tokens that all examples together are read and predicted with
 * @param skipped rows that were malformed
 * @param symbols checksum of the vocabularies; null where an earlier version has prepared them
 */
public record ExampleIndex(
        String corpus,
        List<Part> parts,
        long training,
        long validation,
        long test,
        int longest,
        long tokens,
        long skipped,
        Long symbols)
        implements Serializable {
    public static final JsonFile<ExampleIndex> FILE = new JsonFile<>("unroll-examples", 1, ExampleIndex.class, 1 << 28);
    private static final long MAX_NUMBER = 1L << 48;

    /** @param checksum CRC-32C of the file; null where an earlier version has prepared it */
    public record Part(String file, int examples, Long checksum) implements Serializable {}

    /** @return what is wrong with the index; empty where nothing is */
    public String problem(String hash, Vocabularies vocabularies) {
        if (!hash.equals(corpus) || parts == null) {
            return "its index is of another corpus";
        }
        if (symbols != null && symbols != vocabularies.checksum()) {
            return "its index and its vocabularies disagree";
        }
        boolean valid = LongStream.of(training, validation, test, longest, tokens, skipped)
                        .allMatch(number -> number >= 0 && number <= MAX_NUMBER)
                && parts.stream()
                        .allMatch(part -> part != null && PreparedFile.isName(part.file) && part.examples >= 0);
        return valid && parts.stream().mapToLong(Part::examples).sum() == examples()
                ? ""
                : "its index contains invalid file names or numbers";
    }

    /** @return the same with the vocabularies' checksum */
    public ExampleIndex with(Vocabularies vocabularies) {
        return new ExampleIndex(
                corpus, parts, training, validation, test, longest, tokens, skipped, vocabularies.checksum());
    }

    @JsonIgnore
    public long examples() {
        return training + validation + test;
    }
}
