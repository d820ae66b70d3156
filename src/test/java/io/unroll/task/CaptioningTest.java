package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

abstract class CaptioningTest extends TaskContract {
    private static final List<Row> ROWS = List.of(
            row("image", "0.png", "caption", "a red circle"),
            row("image", "1.png", "caption", "a blue bar"),
            row("image", "2.png", "caption", "a red bar"),
            row("image", "3.png", "caption", "green triangle"));

    static class AsInitialStateTest extends CaptioningTest {
        @Override
        String inject() {
            return "initial-state";
        }
    }

    static class AsFirstStepTest extends CaptioningTest {
        @Override
        String inject() {
            return "first-step";
        }
    }

    abstract String inject();

    @BeforeEach
    void draw() throws IOException {
        for (int i = 0; i < ROWS.size(); i++) {
            String[] words = ROWS.get(i).value("caption").split(" ");
            Files.write(
                    folder.resolve(i + ".png"),
                    ShapeImages.png(true, words[words.length - 2], words[words.length - 1], i));
        }
    }

    @Override
    String settings() {
        return "task = captioning, corpus { images = i, tokenizer = word }, model.image { side = 16, inject = "
                + inject() + " }";
    }

    @Override
    double learningRate() {
        return 0.003;
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
        return prompt("", ShapeImages.png(true, "blue", "bar", 1));
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return metrics.get("exact_match").equals(1.0) && (double) metrics.get("bleu_2") > 0.999;
    }

    @Test
    void whatCannotBeUsedSaysWhy() throws IOException {
        Files.writeString(folder.resolve("text.png"), "no image");
        assertEquals(
                "text.png is no image: PNG, JPEG, GIF and BMP can be read",
                problem(row("image", "text.png", "caption", "a")));
        assertTrue(problem(row("image", "9.png", "caption", "a")).matches("there is no file .*/9.png"));
        assertEquals("its image is empty", problem(row("image", "", "caption", "a")));
        assertEquals("the row has no caption", problem(row("image", "0.png")));
    }

    private String problem(Row row) {
        Examples examples = task().examples().orElseThrow();
        return assertThrows(MalformedRowException.class, () -> examples.check(row, files()))
                .getMessage();
    }
}
