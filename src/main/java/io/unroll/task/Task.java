package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
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

/** A task that networks can learn. Training, averaging and evaluation use only this interface. */
public interface Task extends Serializable {
    /** @throws io.unroll.config.ConfigurationException if a setting does not apply to the task */
    static Task of(Settings settings) {
        Task task =
                switch (settings.task()) {
                    case LANGUAGE_MODEL -> new LanguageModel(settings);
                    case CLASSIFICATION -> new Classification(settings);
                    case SEQ2SEQ -> new Seq2Seq(settings);
                    case CAPTIONING -> new Captioning(settings);
                };
        Settings.Corpus corpus = settings.corpus();
        if (settings.task() != Settings.TaskName.LANGUAGE_MODEL && corpus.hasDocuments()) {
            throw new ConfigurationException("corpus.documents or corpus.columns.document is set; only task ="
                    + " language-model has documents.");
        }
        boolean rows = task.examples().isPresent();
        Settings.Malformed malformed = settings.corpus().malformed();
        if (malformed == (rows ? Settings.Malformed.REPLACE : Settings.Malformed.SKIP)) {
            throw new ConfigurationException("corpus.malformed is " + SettingNames.kebab(malformed) + ", but task = "
                    + SettingNames.kebab(settings.task()) + " reads a "
                    + (rows ? "table corpus: it must be error or skip." : "text corpus: it must be error or replace."));
        }
        return task;
    }

    /**
     * Checks that attention is off. For tasks without source tokens.
     *
     * @throws ConfigurationException if {@code model.attention} is not {@code none}
     */
    static void refuseAttention(Settings settings) {
        if (settings.model().attention() != Settings.Attention.NONE) {
            throw new ConfigurationException("model.attention is "
                    + SettingNames.kebab(settings.model().attention()) + "; it must be none for task = "
                    + SettingNames.kebab(settings.task()) + ", which has no source tokens to attend to.");
        }
    }

    default List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS);
    }

    /** @return for each vocabulary name, the first symbols of the vocabulary, which are the same for all corpora */
    Map<String, Vocabulary> vocabularyPrefixes();

    /**
     * @return whether losses are comparable only between models with equal vocabularies: with a smaller vocabulary,
     *     more tokens become {@code <unk>}, and {@code <unk>} is easier to predict
     */
    default boolean scoresDependOnSymbols() {
        return true;
    }

    NetworkShape network(Vocabularies vocabularies);

    /** @return the conversion of rows to examples and batches; empty if the task reads a text corpus */
    Optional<Examples> examples();

    /**
     * @return the tokens that the network reads for a text
     * @throws ConfigurationException if the task reads no text
     */
    int[] textTokens(String text, Vocabularies vocabularies);

    /** @return the vocabulary of the labels; empty if the task predicts none */
    default Optional<Vocabulary> labels(Vocabularies vocabularies) {
        return Optional.empty();
    }

    /**
     * A decoded target.
     *
     * @param logProbability of the target and its end, in nats
     */
    record Answer(int[] tokens, double logProbability) {}

    /**
     * Decodes the most probable target of each source. What it computes for a source depends on the number of sources,
     * but not on the others, if all have the same length.
     *
     * @param sources tokens of {@link #textTokens}, or images
     * @throws ConfigurationException if the task has no sources
     */
    default List<Answer> answers(Network network, int[][] sources, int beam) {
        throw new ConfigurationException(
                "task = " + SettingNames.kebab(settings().task()) + " has no targets to decode.");
    }

    /** @return the settings of the training */
    Settings settings();

    /**
     * Evaluates the network on a batch.
     *
     * @param beam width of the beam search for tasks that decode sequences; 1 is greedy decoding
     */
    Score score(Network network, Batch batch, int beam);

    /** @return the {@link #score} and the number of unknown tokens */
    default Score scoreWithUnknowns(Network network, Batch batch, int beam) {
        Map<String, Long> unknown = unknownTokens(batch);
        Score score = score(network, batch, beam);
        return unknown.isEmpty() ? score : new ScoreWithUnknowns(score, new TreeMap<>(unknown));
    }

    /** @return the number of {@code <unk>} tokens in the batch, by metric name; empty if the task has no such token */
    Map<String, Long> unknownTokens(Batch batch);

    /** @return the symbols of the prompt that are not in the vocabulary and become {@code <unk>} */
    List<String> unknownTokens(String prompt, Vocabularies vocabularies);

    /**
     * Writes the answer to a prompt: a continuation, labels, a target text or captions.
     *
     * @return the number of tokens, or of labels, that were written
     */
    int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException;

    /** @return whether answers are decoded with beam search */
    default boolean usesBeamSearch() {
        return false;
    }

    /** @return whether the task answers an empty prompt; such an answer is shown after training */
    default boolean answersEmptyPrompt() {
        return false;
    }
}
