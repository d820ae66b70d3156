package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.lang3.ArrayUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files, tables and queries as what a model is evaluated on, by {@code evaluate} and {@code publish}. */
class EvaluatedTextIT {
    @TempDir
    private Path folder;

    @BeforeEach
    void train() throws IOException {
        Files.writeString(
                folder.resolve("events.jsonl"),
                IntStream.range(0, 40)
                        .mapToObj(i -> "{\"event\": {\"text\": \"event " + i + "\"}}")
                        .collect(Collectors.joining("\n")));
        Files.writeString(
                folder.resolve("events.conf"),
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/events.jsonl", columns.text = event.text, documents = reset, min-count = 2 }
                model { hidden = 4, layers = 1 }
                training.epochs = 1
                cluster.replicas = 1
                """
                        .formatted(folder));
        Output trained = run("train", "FOLDER/events.conf");
        assertEquals(0, trained.status(), trained.err());
    }

    @Test
    void rowsOfAQueryHaveTheScoreOfTheSameRowsInAFile() {
        String query = "corpus.query=SELECT event FROM json.`FOLDER/events.jsonl`";
        Output expected = run("evaluate", "FOLDER/run", "FOLDER/events.jsonl", "--json");
        assertEquals(0, expected.status(), expected.err());
        assertEquals(
                expected.out(), run("evaluate", "FOLDER/run", query, "--json").out());
        Output published = run("publish", "FOLDER/run", "FOLDER/published", query);
        assertEquals(0, published.status(), published.err());
        assertTrue(Files.exists(folder.resolve("published/manifest.json")));
    }

    @Test
    void aPartIsFoundWhereItsCorpusWasMoved() throws IOException {
        String expected =
                run("evaluate", "FOLDER/run", "--part", "validation", "--json").out();
        Files.move(folder.resolve("events.jsonl"), folder.resolve("moved.jsonl"));
        Output moved = run(
                "evaluate",
                "FOLDER/run",
                "--part",
                "validation",
                "--json",
                "corpus.query=SELECT event FROM json.`FOLDER/moved.jsonl`");
        assertEquals(expected, moved.out(), moved.err());
    }

    @Test
    void whatCannotBeEvaluatedIsRefused() {
        assertRefused("TABLE_OR_VIEW_NOT_FOUND", "corpus.table=missing");
        assertRefused("leave one of them out", "corpus.table=missing", "FOLDER/events.jsonl");
        assertRefused("give either TEXT or --part", "corpus.malformed=skip");
        assertRefused("corpus.path=events.jsonl cannot be given here", "corpus.path=events.jsonl");
        assertRefused(
                "the only one that is set of corpus.path, corpus.table and corpus.query",
                "corpus.table=a",
                "corpus.query=SELECT 1");
    }

    private void assertRefused(String message, String... text) {
        Output refused = run(ArrayUtils.addAll(new String[] {"evaluate", "FOLDER/run"}, text));
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains(message), refused.err());
    }

    private Output run(String... arguments) {
        String[] withFolder = new String[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            withFolder[i] = arguments[i].replace("FOLDER", folder.toString());
        }
        return InProcess.unroll(withFolder);
    }
}
