package io.unroll.chunk;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.unroll.text.JsonFile;
import java.io.Serializable;
import java.util.List;

/**
 * What the token files of a prepared corpus hold; written last, so a folder that has one is whole.
 *
 * @param corpus hash of the corpus' content
 * @param width bytes of a token: 1, 2 or 4, little-endian, unsigned below 4
 * @param parts the files, in the corpus' order
 */
public record TokenIndex(String corpus, int width, List<Part> parts) implements Serializable {
    public static final JsonFile<TokenIndex> FILE = new JsonFile<>("unroll-tokens", 1, TokenIndex.class);

    public record Part(String file, long tokens) implements Serializable {}

    @JsonIgnore
    public long tokens() {
        return parts.stream().mapToLong(Part::tokens).sum();
    }

    /** @return the width that the tokens of such a vocabulary need */
    public static int width(int vocabularySize) {
        return vocabularySize <= 1 << 8 ? 1 : vocabularySize <= 1 << 16 ? 2 : 4;
    }
}
