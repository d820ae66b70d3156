package io.unroll.spark;

import io.unroll.chunk.BatchSource;
import io.unroll.chunk.CorpusSize;
import io.unroll.text.Vocabularies;

/**
 * A corpus that is ready for training.
 *
 * @param folder with the prepared files
 * @param found whether an earlier run prepared it
 */
public record PreparedCorpus(String folder, Vocabularies vocabularies, BatchSource source, boolean found) {
    public CorpusSize size() {
        return source.size(vocabularies.tokens().size());
    }
}
