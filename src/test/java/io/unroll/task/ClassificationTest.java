package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Sequence;
import io.unroll.config.ConfigurationException;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Vocabularies;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClassificationTest extends TaskContract {
    private static final List<Row> ROWS = List.of(
            row("text", "a", "label", "short"),
            row("text", "abab", "label", "pairs"),
            row("text", "ba", "label", "short"),
            row("text", "cabab", "label", "pairs"),
            row("text", "aabbcc", "label", "long"));

    @Override
    String settings() {
        return "task = classification, model.pooling = mean";
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
        return prompt("abab", null);
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return metrics.get("accuracy").equals(1.0);
    }

    @Test
    void unusableRowsAreRejectedWithTheReason() {
        Examples examples = task().examples().orElseThrow();
        assertEquals("its text is empty", problem(examples, row("text", "", "label", "long")));
        assertEquals("its label is empty", problem(examples, row("text", "a", "label", " ")));
        assertEquals("the row has no label", problem(examples, row("text", "a")));
        assertEquals(
                "its label, new, does not occur in the training data",
                assertThrows(
                                MalformedRowException.class,
                                () -> examples.encode(row("text", "a", "label", "new"), Sequence.NONE, vocabularies()))
                        .getMessage());
        assertThrows(ConfigurationException.class, () -> vocabulariesOf(ROWS.subList(0, 1)));
    }

    private String problem(Examples examples, Row row) {
        return assertThrows(MalformedRowException.class, () -> examples.check(row))
                .getMessage();
    }
}
