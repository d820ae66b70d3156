package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.Words;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What the trunk asks of a task, so that it never needs to know which one it is. */
public interface Task extends Serializable {
    /** @throws io.unroll.config.ConfigurationException where a setting is not for this task */
    static Task of(Settings settings) {
        Task task =
                switch (settings.task()) {
                    case LANGUAGE_MODEL -> new LanguageModel(settings);
                    case CLASSIFICATION -> new Classification(settings);
                    case SEQ2SEQ -> new Seq2Seq(settings);
                    case CAPTIONING -> new Captioning(settings);
                };
        boolean rows = task.examples().isPresent();
        Settings.Malformed malformed = settings.corpus().malformed();
        if (malformed == (rows ? Settings.Malformed.REPLACE : Settings.Malformed.SKIP)) {
            throw new ConfigurationException("corpus.malformed is " + Words.kebab(malformed) + ", which is for "
                    + (rows ? "running text" : "rows") + ", and task = " + Words.kebab(settings.task())
                    + " learns from " + (rows ? "rows" : "running text") + ": it must be error or "
                    + (rows ? "skip" : "replace") + ".");
        }
        return task;
    }

    /** For tasks without a source of tokens. */
    static void refuseAttention(Settings settings) {
        if (settings.model().attention() != Settings.Attention.NONE) {
            throw new ConfigurationException("model.attention is "
                    + Words.kebab(settings.model().attention()) + ", which looks at a source's tokens, and task = "
                    + Words.kebab(settings.task()) + " has none: it must be none.");
        }
    }

    /** Which vocabularies, by their names. */
    List<String> vocabularies();

    /** @return the symbols with which each vocabulary starts, by the vocabulary's name */
    Map<String, Vocabulary> startOfVocabularies();

    /**
     * @return whether losses can only be compared between models of the same symbols: what one lacks, it need not tell
     * apart
     */
    boolean scoresDependOnSymbols();

    /** Which network on the trunk. */
    NetworkShape network(Vocabularies vocabularies);

    /** How rows become examples and these batches; empty where the corpus is one running text. */
    Optional<Examples> examples();

    /**
     * Which metrics: the network's score on a batch.
     *
     * @param beam beginnings that are kept where sequences are searched for; 1 takes the most probable token each time
     */
    Score score(Network network, Batch batch, int beam);

    /** The {@link #score}, with the number of unknown tokens. */
    default Score counted(Network network, Batch batch, int beam) {
        Map<String, Long> unknown = unknown(batch);
        Score score = score(network, batch, beam);
        return unknown.isEmpty() ? score : new CountedScore(score, new TreeMap<>(unknown));
    }

    /**
     * @return how many of the batch's tokens are {@code <unk>}, by the names that users read; empty where none can be
     */
    Map<String, Long> unknown(Batch batch);

    /** @return the words of a prompt, or what else its symbols are, that the model knows only as {@code <unk>} */
    List<String> unknown(String prompt, Vocabularies vocabularies);

    /**
     * What a model is used for: answers a prompt.
     *
     * @return tokens that it has written
     */
    int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException;

    /** @return whether answers are sequences that are searched for */
    default boolean searches() {
        return false;
    }

    /** @return prompts whose answers show, after training, what has been learnt; empty where the metrics say it all */
    List<String> samplePrompts();
}
