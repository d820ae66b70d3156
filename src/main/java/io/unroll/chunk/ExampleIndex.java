package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Index of the example files of a prepared corpus. It is written last, so a folder with an index is complete. The files
 * contain the training examples, then the validation examples, then the test examples; each part in random order.
 *
 * @param corpus hash of the content of the corpus
 * @param parts the files, in order
 * @param training number of training examples; likewise {@code validation} and {@code test}
 * @param longest number of steps of the longest example
 * @param tokens number of tokens in all examples
 * @param skipped number of malformed rows
 * @param symbols checksum of the vocabularies; null if an earlier version wrote the index
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

    /** @param checksum CRC-32C of the file; null if an earlier version wrote it */
    public record Part(String file, int examples, Long checksum) implements Serializable {}

    /** @return a description of what is wrong with the index; empty if it is valid */
    public String problem(String hash, Vocabularies vocabularies) {
        if (!hash.equals(corpus) || parts == null) {
            return "its index belongs to another corpus";
        }
        if (symbols != null && symbols != vocabularies.checksum()) {
            return "its index does not match its vocabularies";
        }
        boolean valid = LongStream.of(training, validation, test, longest, tokens, skipped)
                        .allMatch(number -> number >= 0 && number <= MAX_NUMBER)
                && parts.stream()
                        .allMatch(
                                part -> part != null && PreparedFileCheck.isValidName(part.file) && part.examples >= 0);
        return valid && parts.stream().mapToLong(Part::examples).sum() == examples()
                ? ""
                : "its index contains invalid file names or numbers";
    }

    /** @return a copy with the checksum of the vocabularies */
    public ExampleIndex withChecksumOf(Vocabularies vocabularies) {
        return new ExampleIndex(
                corpus, parts, training, validation, test, longest, tokens, skipped, vocabularies.checksum());
    }

    @JsonIgnore
    public long examples() {
        return training + validation + test;
    }
}
