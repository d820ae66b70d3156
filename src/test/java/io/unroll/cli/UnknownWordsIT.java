package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Words that a model has not learnt: whoever uses it with them hears how many they are. */
class UnknownWordsIT {
    private static final String SMALL =
            """
            run.directory = "%1$s/run"
            corpus { tokenizer = word, validation = 0, test = 0 }
            model { hidden = 4, layers = 1, cell = rnn }
            training { epochs = 1, batch = 2, tbptt = 4 }
            cluster.replicas = 1
            """;

    @TempDir
    private Path folder;

    @Test
    void ofATextTheyAreCountedWhereverItIsRead() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n".repeat(40));
        Path other = Files.writeString(folder.resolve("other.txt"), "the dog sat on the log\nthe cat sat\n");
        assertEquals(0, train("corpus.path=" + text).status());

        JsonNode evaluated =
                unroll("evaluate", "RUN", other.toString(), "--json").json();
        assertEquals(10, evaluated.get("tokens").asInt());
        assertEquals(2, evaluated.get("unknown_tokens").asInt());
        assertTrue(unroll("evaluate", "RUN", other.toString()).out().contains("unknown tokens        2"));
        assertEquals(
                0,
                unroll("evaluate", "RUN", text.toString(), "--json")
                        .json()
                        .get("unknown_tokens")
                        .asInt());

        String target = folder.resolve("target").toString();
        JsonNode published =
                unroll("publish", "RUN", target, other.toString(), "--json").json();
        assertEquals(2, published.get("unknown_tokens").asInt());
        assertTrue(unroll("publish", "RUN", target, other.toString()).out().contains("unknown tokens        2"));

        JsonNode inspected =
                unroll("inspect", "RUN", other.toString(), "--json").json();
        assertEquals(2, inspected.get("unknown_tokens").asInt());

        Output generated = unroll("generate", "RUN", "--prime", "the dog and the cat", "--length", "3", "--json");
        assertEquals(2, generated.json().get("unknown_tokens").asInt());
        assertTrue(generated.err().contains("unknown tokens in the prompt, read as <unk> (2): "), generated.err());
        assertTrue(generated.err().contains("dog, and"), generated.err());
        assertFalse(unroll("generate", "RUN", "--prime", "the cat", "--length", "3")
                .err()
                .contains("unknown"));
    }

    @Test
    void ofRowsTheyAreCountedOnBothSides() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.csv"), "source,target\n" + "a b,x y\nb a,y x\n".repeat(9));
        Path other = Files.writeString(folder.resolve("other.csv"), "source,target\na c,x z\nd e,x y\n");
        assertEquals(0, train("task=seq2seq", "corpus.path=" + rows).status());

        JsonNode evaluated =
                unroll("evaluate", "RUN", other.toString(), "--json").json();

        assertEquals(1, evaluated.get("unknown_tokens").asInt());
        assertEquals(3, evaluated.get("unknown_source_tokens").asInt());
        assertEquals(0, evaluated.get("skipped").asInt());
    }

    @Test
    void ofLabelledTextsTheRareOnesAreUnknownToo() throws IOException {
        Path rows = Files.writeString(
                folder.resolve("rows.csv"), "text,label\nonce good,a\n" + "good,a\nbad,b\n".repeat(9));
        assertEquals(
                0,
                train("task=classification", "corpus.min-count=2", "corpus.path=" + rows)
                        .status());

        JsonNode evaluated =
                unroll("evaluate", "RUN", rows.toString(), "--json").json();

        assertEquals(19, evaluated.get("examples").asInt());
        assertEquals(1, evaluated.get("unknown_tokens").asInt());
        Output generated = unroll("generate", "RUN", "--prime", "once bad");
        assertTrue(generated.err().contains("as <unk> (1): once"), generated.err());
        Output sampled = unroll("generate", "RUN", "--prime", "good", "--temperature", "0.5");
        assertEquals(2, sampled.status());
        assertTrue(
                sampled.err().contains("--temperature is for models that continue a text, and this one is of task ="),
                sampled.err());
    }

    private Output train(String... settings) throws IOException {
        Path conf = Files.writeString(folder.resolve("run.conf"), SMALL.formatted(folder));
        return InProcess.unroll(Stream.concat(Stream.of("train", conf.toString()), Stream.of(settings))
                .toArray(String[]::new));
    }

    private Output unroll(String... words) {
        return InProcess.unroll(Stream.of(words)
                .map(word -> word.equals("RUN") ? folder.resolve("run").toString() : word)
                .toArray(String[]::new));
    }
}
