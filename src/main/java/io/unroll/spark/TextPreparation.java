package io.unroll.spark;

import io.unroll.chunk.Example;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceType;
import io.unroll.chunk.TextSource;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.storage.WritableFolder;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** Converts a corpus that is one text to a vocabulary and a stream of tokens. */
final class TextPreparation extends CorpusPreparation {
    private final TextReader reader;

    TextPreparation(
            Session session, Settings.Corpus corpus, Optional<Vocabularies> givenVocabularies, TextReader reader) {
        super(session, corpus, givenVocabularies);
        this.reader = reader;
    }

    /** Reads the text of a corpus, in Spark tasks. */
    interface TextReader {
        /** @return a hash of the text; called before the other methods, except for the evaluation */
        String hash();

        /** @return the number of skipped rows, by reason */
        default Map<String, Long> skipped() {
            return Map.of();
        }

        /** @return the number of each symbol */
        Map<String, Long> count(Tokenizer untrained);

        /** @return the parts of the store that were written, in the order of the text */
        List<SequenceIndex.Part> encode(Tokenizer tokenizer, Example.Type type, String folder);

        /** @return the batches of the text of other files */
        EvaluationSource evaluationSource(List<String> paths, Tokenizer tokenizer, int steps);
    }

    @Override
    String corpusHash() {
        return reader.hash();
    }

    @Override
    public PreparedCorpus prepare() throws IOException {
        String hash = reader.hash();
        Tokenizer untrained = Tokenizer.ofText(corpus);
        Path folder = folder(SettingNames.kebab(corpus.tokenizer()), hash, untrained.key(corpus));
        boolean found = isPrepared(folder, hash, List.of(Vocabularies.TOKENS));
        if (!found) {
            WritableFolder.check(folder.toString(), "corpus.prepared", session.hadoop());
            Tokenizer tokenizer = givenVocabularies
                    .map(Vocabularies::tokens)
                    .orElseGet(() -> untrained.train(reader.count(untrained), corpus));
            if (tokenizer.size() < 2) {
                throw new ConfigurationException(
                        corpus.source() + " contains fewer than two different symbols: there is nothing to learn.");
            }
            Example.Type type = new Example.Type(SequenceType.NONE, SequenceType.tokens(tokenizer.size()));
            Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, tokenizer));
            create(folder, () -> {
                List<SequenceIndex.Part> written = reader.encode(tokenizer, type, folder.toString());
                publish(folder, vocabularies, SequenceIndex.of(hash, type, written, reader.skipped(), vocabularies));
            });
        }
        return read(
                folder,
                List.of(Vocabularies.TOKENS),
                found,
                store -> new TextSource(store, corpus.validation(), corpus.test()));
    }

    @Override
    EvaluationSource evaluationSource(List<String> paths, Vocabularies vocabularies, int steps) {
        return reader.evaluationSource(paths, vocabularies.tokens(), steps);
    }
}
