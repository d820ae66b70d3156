package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScoreTest {
    private static final Vocabularies LABELS =
            new Vocabularies(Map.of("labels", new Vocabulary(null, List.of("a", "b", "c"))));

    /** Three labels: two examples of b are predicted as a; c does not occur. */
    @Test
    void computesAccuracyAndMacroF1() {
        float[] logits = {2, 1, 0, /**/ 2, 1, 0, /**/ 3, 1, 0, /**/ 0, 5, 0, /**/ 9, 1, 0};
        Score score = ClassificationScore.of(logits, new int[] {0, 0, 1, 1, 1});

        assertEquals(
                List.of(List.of(2L, 0L, 0L), List.of(2L, 1L, 0L), List.of(0L, 0L, 0L)),
                score.metrics(LABELS).get("confusion"));
        assertEquals(3.0 / 5, score.metrics(LABELS).get("accuracy"));
        double first = 2 * (0.5 * 1) / (0.5 + 1);
        double second = 2 * (1.0 * 1 / 3) / (1 + 1.0 / 3);
        assertEquals((first + second) / 2, (double) score.metrics(LABELS).get("macro_f1"), 1e-12);
    }

    @Test
    void computesCrossEntropyOfTheSoftmax() {
        Score score = ClassificationScore.of(new float[] {1, 3}, new int[] {0});

        assertEquals(Math.log(1 + Math.exp(2)), score.loss().mean(), 1e-12);
    }

    @Test
    void scoresAddUp() {
        float[] logits = {2, 1, 0, 3};
        Score both = ClassificationScore.of(logits, new int[] {0, 0});
        Score first = ClassificationScore.of(new float[] {2, 1}, new int[] {0});
        Score second = ClassificationScore.of(new float[] {0, 3}, new int[] {0});

        assertEquals(
                both.metrics(LABELS).get("accuracy"),
                first.plus(second).metrics(LABELS).get("accuracy"));
        assertEquals(both.loss().mean(), first.plus(second).loss().mean(), 1e-12);
    }

    /** An output of {@code <unk>} must not count as correct. */
    @Test
    void unknownTokenOfAReferenceMatchesNoOutput() {
        Settings.Corpus corpus = SettingsReader.parse("run.directory = r, corpus.path = p", "test")
                .corpus();
        TargetSequences targets = TargetSequences.of(corpus, Settings.TokenizerName.CHAR, 0);
        Tokenizer tokenizer = targets.train(Map.of("a", 1L));
        Example example = new Example(Sequence.NONE, TargetSequences.tokens("az", tokenizer));

        assertArrayEquals(new int[] {tokenizer.id("a"), -1}, targets.reference(targets.batch(List.of(example)), 0));
    }

    @Test
    void computesLevenshteinDistance() {
        assertEquals(new SequenceScore.Errors(3, 6), errors("kitten", "sitting"));
        assertEquals(new SequenceScore.Errors(4, 4), errors("abcd", ""));
        assertEquals(new SequenceScore.Errors(2, 0), errors("", "ab"));
        assertEquals(new SequenceScore.Errors(0, 3), errors("abc", "abc"));
    }

    private static SequenceScore.Errors errors(String reference, String answer) {
        return SequenceScore.Errors.between(
                reference.chars().toArray(), answer.chars().toArray());
    }

    @Test
    void scoresASourceAgainstItsBestReference() {
        Score far = new SequenceScore(Loss.ZERO, Map.of("a", errors("xyz", "ab"), "b", errors("xy", "xz")));
        Score near = new SequenceScore(Loss.ZERO, Map.of("a", errors("ab", "ab")));

        Map<String, Object> metrics = far.plus(near).metrics(LABELS);

        assertEquals(2, metrics.get("sources"));
        assertEquals(0.5, metrics.get("sequence_error_rate"));
        assertEquals(1.0 / 4, metrics.get("token_error_rate"));
    }
}
