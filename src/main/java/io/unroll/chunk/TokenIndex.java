package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.List;

/**
 * What the token files of a prepared corpus hold; written last, so a folder that has one is whole.
 *
 * @param corpus hash of the corpus' content
 * @param width bytes of a token: 1, 2 or 4, little-endian, unsigned below 4
 * @param parts the files, in the corpus' order
 * @param symbols checksum of the vocabularies; null where an earlier version has prepared them
 */
public record TokenIndex(String corpus, int width, List<Part> parts, Long symbols) implements Serializable {
    public static final JsonFile<TokenIndex> FILE = new JsonFile<>("unroll-tokens", 1, TokenIndex.class, 1 << 28);
    private static final long MAX_TOKENS = 1L << 48;

    /** @param checksum CRC-32C of the file; null where an earlier version has prepared it */
    public record Part(String file, long tokens, Long checksum) implements Serializable {}

    /** @return what is wrong with the index; empty where nothing is */
    public String problem(String hash, Vocabularies vocabularies) {
        if (!hash.equals(corpus)
                || parts == null
                || width != width(vocabularies.tokens().size())) {
            return "its index is of another corpus or vocabulary";
        }
        if (symbols != null && symbols != vocabularies.checksum()) {
            return "its index and its vocabulary disagree";
        }
        boolean valid = parts.stream()
                .allMatch(part -> part != null
                        && PreparedFile.isName(part.file)
                        && part.tokens >= 0
                        && part.tokens <= MAX_TOKENS);
        return valid ? "" : "its index contains invalid file names or lengths";
    }

    @JsonIgnore
    public long tokens() {
        return parts.stream().mapToLong(Part::tokens).sum();
    }

    /** @return the width that the tokens of such a vocabulary need */
    public static int width(int vocabularySize) {
        return vocabularySize <= 1 << 8 ? 1 : vocabularySize <= 1 << 16 ? 2 : 4;
    }
}
