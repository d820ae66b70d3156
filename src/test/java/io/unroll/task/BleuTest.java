package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BleuTest {
    private static final String CAT = "the cat is on the mat";
    private static final String OTHER = "there is a cat on the mat";

    /** The example in section 2.1 of the paper: 2 of 7 unigrams match. */
    @Test
    void clipsMatchesAtTheReferenceCount() {
        Bleu bleu = bleu("the the the the the the the", CAT, OTHER);

        assertEquals(2.0 / 7, bleu.value(1), 1e-12);
        assertEquals(0, bleu.value(2));
    }

    @Test
    void candidateEqualToAReferenceScoresOne() {
        for (int n = 1; n <= Bleu.MAX_ORDER; n++) {
            assertEquals(1, bleu(OTHER, CAT, OTHER).value(n), 1e-12);
        }
    }

    @Test
    void brevityPenaltyUsesTheClosestReferenceLength() {
        assertEquals(Math.exp(1 - 6.0 / 4), bleu("cat on the mat", CAT, OTHER).value(1), 1e-12);
    }

    /** First sentence: 3 of 4 unigrams and 1 of 3 bigrams match; second sentence: all. */
    @Test
    void addsUpCountsOverTheCorpus() {
        Bleu corpus = bleu("a b x c", "a b c d").plus(bleu("e f g h", "e f g h"));

        assertEquals(Math.sqrt(7.0 / 8 * 4 / 6), corpus.value(2), 1e-12);
    }

    @Test
    void emptyCandidateScoresZero() {
        assertEquals(0, bleu("", CAT).value(1));
    }

    private static Bleu bleu(String candidate, String... references) {
        return Bleu.of(
                tokens(candidate),
                List.of(references).stream().map(BleuTest::tokens).toList());
    }

    private static int[] tokens(String text) {
        return Stream.of(text.split(" "))
                .filter(word -> !word.isEmpty())
                .mapToInt(String::hashCode)
                .toArray();
    }
}
