package io.unroll.spark;

import io.unroll.chunk.BatchSource;
import io.unroll.chunk.CorpusSize;
import io.unroll.text.Vocabularies;

/**
 * A corpus that can be trained on.
 *
 * @param found it had been prepared before
 */
public record PreparedCorpus(String folder, Vocabularies vocabularies, BatchSource source, boolean found) {
    public CorpusSize size() {
        return source.size(vocabularies.tokens().size());
    }
}
