package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.List;

/**
 * Index of the token files of a prepared corpus. It is written last, so a folder with an index is complete.
 *
 * @param corpus hash of the content of the corpus
 * @param width bytes per token: 1, 2 or 4; little-endian, unsigned for 1 and 2
 * @param parts the files, in the order of the corpus
 * @param symbols checksum of the vocabulary; null if an earlier version wrote the index
 */
public record TokenIndex(String corpus, int width, List<Part> parts, Long symbols) implements Serializable {
    public static final JsonFile<TokenIndex> FILE = new JsonFile<>("unroll-tokens", 1, TokenIndex.class, 1 << 28);
    private static final long MAX_TOKENS = 1L << 48;

    /** @param checksum CRC-32C of the file; null if an earlier version wrote it */
    public record Part(String file, long tokens, Long checksum) implements Serializable {}

    /** @return a description of what is wrong with the index; empty if it is valid */
    public String problem(String hash, Vocabularies vocabularies) {
        if (!hash.equals(corpus)
                || parts == null
                || width != width(vocabularies.tokens().size())) {
            return "its index belongs to another corpus or vocabulary";
        }
        if (symbols != null && symbols != vocabularies.checksum()) {
            return "its index does not match its vocabulary";
        }
        boolean valid = parts.stream()
                .allMatch(part -> part != null
                        && PreparedFileCheck.isValidName(part.file)
                        && part.tokens >= 0
                        && part.tokens <= MAX_TOKENS);
        return valid ? "" : "its index contains invalid file names or lengths";
    }

    @JsonIgnore
    public long tokens() {
        return parts.stream().mapToLong(Part::tokens).sum();
    }

    /** @return the bytes per token that a vocabulary of this size needs */
    public static int width(int vocabularySize) {
        return vocabularySize <= 1 << 8 ? 1 : vocabularySize <= 1 << 16 ? 2 : 4;
    }
}
