package io.unroll.spark;

import io.unroll.chunk.Example;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceType;
import io.unroll.chunk.SequenceWriter;
import io.unroll.chunk.TextSource;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;

/** Converts a corpus that is one text to a vocabulary and a stream of tokens. */
abstract class TextPreparation extends CorpusPreparation {
    TextPreparation(Session session, Settings.Corpus corpus, Optional<Vocabularies> givenVocabularies) {
        super(session, corpus, givenVocabularies);
    }

    /** @return the number of skipped rows, by reason; called after {@link #corpusHash} */
    Map<String, Long> skipped() {
        return Map.of();
    }

    /** @return the number of each symbol; called after {@link #corpusHash} */
    abstract Map<String, Long> count(Tokenizer untrained);

    /** @return the parts of the store that were written, in the order of the text; called after {@link #corpusHash} */
    abstract List<SequenceIndex.Part> encode(Tokenizer tokenizer, Example.Type type, String folder);

    /** @return the writer of a task for its part of the store */
    static SequenceWriter writer(String folder, Example.Type type, Configuration hadoop) throws IOException {
        return new SequenceWriter(folder, SequenceIndex.Section.STREAM, TaskContext.getPartitionId(), type, hadoop);
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        String hash = corpusHash();
        Tokenizer untrained = Tokenizer.ofText(corpus);
        Path folder = folder(SettingNames.kebab(corpus.tokenizer()), hash, untrained.key(corpus));
        return prepare(
                folder,
                hash,
                List.of(Vocabularies.TOKENS),
                store -> new TextSource(store, corpus.validation(), corpus.test()),
                () -> write(untrained, folder, hash));
    }

    private void write(Tokenizer untrained, Path folder, String hash) throws IOException {
        Tokenizer tokenizer =
                givenVocabularies.map(Vocabularies::tokens).orElseGet(() -> untrained.train(count(untrained), corpus));
        if (tokenizer.size() < 2) {
            throw new ConfigurationException(
                    corpus.source() + " contains fewer than two different symbols: there is nothing to learn.");
        }
        Example.Type type = new Example.Type(SequenceType.NONE, SequenceType.tokens(tokenizer.size()));
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, tokenizer));
        create(folder, () -> {
            List<SequenceIndex.Part> written = encode(tokenizer, type, folder.toString());
            publish(folder, vocabularies, SequenceIndex.of(hash, type, written, skipped(), vocabularies));
        });
    }
}
