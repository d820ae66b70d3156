package io.unroll.spark;

import io.unroll.chunk.Split;
import io.unroll.chunk.TokenIndex;
import io.unroll.config.Settings;
import io.unroll.text.Vocabulary;

/**
 * A corpus as token files.
 *
 * @param found it had been prepared before
 */
public record PreparedCorpus(String folder, TokenIndex index, Vocabulary vocabulary, boolean found) {
    Split split(Settings.Corpus corpus) {
        return Split.of(index.tokens(), corpus.validation(), corpus.test());
    }
}
