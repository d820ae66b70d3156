package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnknownTokensTest {
    private static final int NONE = Batch.IGNORED;

    private static Task task(String settings) {
        return Task.of(SettingsReader.parse("run.directory = x, corpus.path = x, " + settings, "test"));
    }

    private static Vocabularies vocabularies(String... symbols) {
        Vocabulary words = new Vocabulary(TokenizerName.WORD, List.of(symbols));
        return new Vocabularies(Map.of(Vocabularies.TOKENS, words, "source", words));
    }

    /** What is only read, or is no more than padding, does not count. */
    @Test
    void ofAWordModelWhatIsPredictedCounts() {
        Batch batch = new Batch(2, 3, new int[] {0, 0, 0, 0, 0, 0}, new int[] {NONE, 0, 2, 0, 3, NONE});

        assertEquals(
                Map.of("unknown_tokens", 2L), task("corpus.tokenizer = word").unknown(batch));
        assertEquals(Map.of(), task("corpus.tokenizer = char").unknown(batch));
        assertEquals(Map.of(), task("corpus.tokenizer = byte").unknown(batch));
    }

    @Test
    void ofAClassifierWhatIsReadCounts() {
        Batch batch = new Batch(2, 3, new int[] {0, 5, 0, 4, 0, 0}, new int[] {0, 0}, new int[] {3, 1});

        assertEquals(Map.of("unknown_tokens", 2L), task("task = classification").unknown(batch));
    }

    @Test
    void ofPairsBothSidesCount() {
        int[][] sources = {{0, 4, 0}, {0}};
        Batch batch = new Batch(2, 2, new int[] {1, 0, 1, 5}, new int[] {0, 2, 5, 2}, new int[] {2, 2}, sources);

        assertEquals(
                Map.of("unknown_tokens", 1L, "unknown_source_tokens", 3L),
                task("task = seq2seq").unknown(batch));
    }

    /** Black pixels are no unknown tokens. */
    @Test
    void ofCaptionsWhatIsWrittenCounts() {
        Batch batch = new Batch(1, 2, new int[] {1, 0}, new int[] {0, 2}, new int[] {2}, new int[][] {{0, 0, 0}});

        assertEquals(
                Map.of("unknown_tokens", 1L),
                task("task = captioning, corpus.images = x").unknown(batch));
    }

    @Test
    void aPromptsUnknownWordsAreNamed() {
        Vocabularies known = vocabularies("<unk>", "<eos>", "cat", "the");

        assertEquals(List.of("dog", "<unk>"), task("corpus.tokenizer = word").unknown("the dog\n<unk> cat", known));
        assertEquals(
                List.of("dog"),
                task("corpus.tokenizer = word, task = classification").unknown("the dog", known));
        assertEquals(
                List.of("dog"), task("corpus.tokenizer = word, task = seq2seq").unknown("dog the", known));
        assertEquals(List.of(), task("corpus.tokenizer = char").unknown("xyz", vocabularies("a", "b")));
    }

    private record Plain(Loss loss) implements Score {
        @Override
        public Score plus(Score other) {
            return new Plain(loss.plus(other.loss()));
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            return new java.util.LinkedHashMap<>(Map.of("tokens", loss.tokens()));
        }
    }

    @Test
    void theyAreAddedUp() {
        Score one = new CountedScore(new Plain(new Loss(1, 5)), new java.util.TreeMap<>(Map.of("unknown_tokens", 2L)));

        assertEquals(
                "{tokens=10, unknown_tokens=4}",
                one.plus(one).metrics(vocabularies("a")).toString());
    }
}
