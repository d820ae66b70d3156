package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.chunk.Batch;
import io.unroll.model.Network;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

abstract class Seq2SeqTest extends TaskContract {
    static class PlainTest extends Seq2SeqTest {
        @Override
        String model() {
            return "attention = none";
        }
    }

    static class AttendingTest extends Seq2SeqTest {
        @Override
        String model() {
            return "attention = general";
        }
    }

    static class BidirectionalTest extends Seq2SeqTest {
        @Override
        String model() {
            return "attention = general, bidirectional = true";
        }
    }

    abstract String model();

    private static final List<Row> ROWS = List.of(
            row("source", "abc", "target", "C B A"),
            row("source", "ab", "target", "B A"),
            row("source", "ba", "target", "A B"),
            row("source", "c", "target", "C"),
            row("source", "cab", "target", "B A C"));

    @Override
    String settings() {
        return "task = seq2seq, corpus.target-tokenizer = word, model { " + model() + " }";
    }

    @Override
    boolean hasSourceTokens() {
        return true;
    }

    @Override
    Vocabularies vocabularies() {
        return vocabulariesOf(ROWS);
    }

    @Override
    List<Batch> batches() {
        return batchOf(ROWS);
    }

    @Override
    Prompt prompt() {
        return prompt("cab", null);
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return metrics.get("sequence_error_rate").equals(0.0);
    }

    @Test
    void readsTheSourceInReverse() {
        Vocabulary letters = vocabularies().of("source");
        int[] backwards = "cba"
                .codePoints()
                .map(letter -> letters.id(Character.toString(letter)))
                .toArray();
        assertArrayEquals(backwards, batches().get(0).sources()[0]);
    }

    /** The letters x and y are not in the vocabulary. */
    @Test
    void countsDifferentSourcesWithUnknownTokensSeparately() {
        List<Row> rows = List.of(
                row("source", "xa", "target", "A"), row("source", "ya", "target", "B"),
                row("source", "ba", "target", "A"), row("source", "ba", "target", "B"));
        try (Network network = new Network(task().network(vocabularies()), 1)) {
            Score score = task().score(network, batchOf(rows).get(0), 1);
            assertEquals(3, score.metrics(vocabularies()).get("sources"));
        }
    }

    @Test
    void unusableRowsAreRejectedWithTheReason() {
        Examples examples = task().examples().orElseThrow();
        assertEquals("its source is empty", problem(examples, row("source", " ", "target", "a")));
        assertEquals("the row has no target", problem(examples, row("source", "a")));
    }

    private String problem(Examples examples, Row row) {
        return assertThrows(MalformedRowException.class, () -> examples.check(row))
                .getMessage();
    }
}
