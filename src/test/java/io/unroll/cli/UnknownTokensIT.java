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

/** Commands report the number of tokens that are not in the vocabulary of the model. */
class UnknownTokensIT {
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
    void everyCommandThatReadsATextCountsThem() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n".repeat(40));
        Path newText = Files.writeString(folder.resolve("other.txt"), "the dog sat on the log\nthe cat sat\n");
        assertEquals(0, train("corpus.path=" + text).status());

        JsonNode evaluated =
                unroll("evaluate", "RUN", newText.toString(), "--json").json();
        assertEquals(10, evaluated.get("tokens").asInt());
        assertEquals(2, evaluated.get("unknown_tokens").asInt());
        assertTrue(unroll("evaluate", "RUN", newText.toString()).out().contains("unknown tokens        2"));
        assertEquals(
                0,
                unroll("evaluate", "RUN", text.toString(), "--json")
                        .json()
                        .get("unknown_tokens")
                        .asInt());

        String target = folder.resolve("target").toString();
        JsonNode published =
                unroll("publish", "RUN", target, newText.toString(), "--json").json();
        assertEquals(2, published.get("unknown_tokens").asInt());
        assertTrue(unroll("publish", "RUN", target, newText.toString()).out().contains("unknown tokens        2"));

        JsonNode inspected =
                unroll("inspect", "RUN", newText.toString(), "--json").json();
        assertEquals(2, inspected.get("unknown_tokens").asInt());

        Output generated = unroll("generate", "RUN", "--prompt", "the dog and the cat", "--length", "3", "--json");
        assertEquals(2, generated.json().get("unknown_tokens").asInt());
        assertTrue(generated.err().contains("unknown tokens in the prompt, read as <unk> (2): "), generated.err());
        assertTrue(generated.err().contains("dog, and"), generated.err());
        assertFalse(unroll("generate", "RUN", "--prompt", "the cat", "--length", "3")
                .err()
                .contains("unknown"));
    }

    @Test
    void sourcesAndTargetsOfRowsAreCountedSeparately() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.csv"), "source,target\n" + "a b,x y\nb a,y x\n".repeat(9));
        Path newRows = Files.writeString(folder.resolve("other.csv"), "source,target\na c,x z\nd e,x y\n");
        assertEquals(0, train("task=seq2seq", "corpus.path=" + rows).status());

        JsonNode evaluated =
                unroll("evaluate", "RUN", newRows.toString(), "--json").json();

        assertEquals(1, evaluated.get("unknown_tokens").asInt());
        assertEquals(3, evaluated.get("unknown_source_tokens").asInt());
        assertEquals(0, evaluated.get("skipped").asInt());
    }

    @Test
    void wordsBelowTheMinimumCountAreUnknownToAClassifier() throws IOException {
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
        Output generated = unroll("generate", "RUN", "--prompt", "once bad");
        assertTrue(generated.err().contains("as <unk> (1): once"), generated.err());
        Output sampled = unroll("generate", "RUN", "--prompt", "good", "--temperature", "0.5");
        assertEquals(2, sampled.status());
        assertTrue(
                sampled.err().contains("--temperature is for language models, but this model has task ="),
                sampled.err());
    }

    private Output train(String... settings) throws IOException {
        Path conf = Files.writeString(folder.resolve("run.conf"), SMALL.formatted(folder));
        return InProcess.unroll(Stream.concat(Stream.of("train", conf.toString()), Stream.of(settings))
                .toArray(String[]::new));
    }

    private Output unroll(String... arguments) {
        return InProcess.unroll(Stream.of(arguments)
                .map(argument -> argument.equals("RUN") ? folder.resolve("run").toString() : argument)
                .toArray(String[]::new));
    }
}
