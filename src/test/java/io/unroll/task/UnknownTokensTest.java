package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnknownTokensTest {
    private static final int IGNORED = Batch.IGNORED;

    private static Task task(String settings) {
        return Task.of(SettingsReader.parse("run.directory = x, corpus.path = x, " + settings, "test"));
    }

    private static Vocabularies vocabularies(String... symbols) {
        Tokenizer words = Tokenizer.of(TokenizerName.WORD, List.of(symbols));
        return new Vocabularies(Map.of(Vocabularies.TOKENS, words, "source", words));
    }

    /** Inputs and padding do not count. */
    @Test
    void wordLanguageModelCountsTargets() {
        Batch batch = new Batch(2, 3, new int[] {0, 0, 0, 0, 0, 0}, new int[] {IGNORED, 0, 2, 0, 3, IGNORED});

        assertEquals(
                Map.of("unknown_tokens", 2L), task("corpus.tokenizer = word").unknownTokens(batch));
        assertEquals(Map.of(), task("corpus.tokenizer = char").unknownTokens(batch));
        assertEquals(Map.of(), task("corpus.tokenizer = byte").unknownTokens(batch));
    }

    @Test
    void classifierCountsInputs() {
        Batch batch = new Batch(2, 3, new int[] {0, 5, 0, 4, 0, 0}, new int[] {0, 0}, new int[] {3, 1});

        assertEquals(Map.of("unknown_tokens", 2L), task("task = classification").unknownTokens(batch));
    }

    @Test
    void seq2seqCountsSourcesAndTargets() {
        int[][] sources = {{0, 4, 0}, {0}};
        Batch batch = new Batch(2, 2, new int[] {1, 0, 1, 5}, new int[] {0, 2, 5, 2}, new int[] {2, 2}, sources);

        assertEquals(
                Map.of("unknown_tokens", 1L, "unknown_source_tokens", 3L),
                task("task = seq2seq").unknownTokens(batch));
    }

    /** Black pixels, which are 0 as well, do not count. */
    @Test
    void captioningCountsTargets() {
        Batch batch = new Batch(1, 2, new int[] {1, 0}, new int[] {0, 2}, new int[] {2}, new int[][] {{0, 0, 0}});

        assertEquals(
                Map.of("unknown_tokens", 1L),
                task("task = captioning, corpus.images = x").unknownTokens(batch));
    }

    @Test
    void namesTheUnknownWordsOfAPrompt() {
        Vocabularies known = vocabularies("<unk>", "<eos>", "cat", "the");

        assertEquals(
                List.of("dog", "<unk>"), task("corpus.tokenizer = word").unknownTokens("the dog\n<unk> cat", known));
        assertEquals(
                List.of("dog"),
                task("corpus.tokenizer = word, task = classification").unknownTokens("the dog", known));
        assertEquals(
                List.of("dog"), task("corpus.tokenizer = word, task = seq2seq").unknownTokens("dog the", known));
        assertEquals(List.of(), task("corpus.tokenizer = char").unknownTokens("xyz", vocabularies("a", "b")));
    }

    private record TokenCountScore(Loss loss) implements Score {
        @Override
        public Score plus(Score other) {
            return new TokenCountScore(loss.plus(other.loss()));
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            return new java.util.LinkedHashMap<>(Map.of("tokens", loss.tokens()));
        }
    }

    @Test
    void scoresAddUpUnknownTokens() {
        Score score = new ScoreWithUnknowns(
                new TokenCountScore(new Loss(1, 5)), new java.util.TreeMap<>(Map.of("unknown_tokens", 2L)));

        assertEquals(
                "{tokens=10, unknown_tokens=4}",
                score.plus(score).metrics(vocabularies("a")).toString());
    }
}
