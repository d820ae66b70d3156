package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LanguageModelTest extends TaskContract {
    private static final String TEXT = "abcaabbc";

    @Override
    String settings() {
        return "task = language-model";
    }

    @Override
    Vocabularies vocabularies() {
        return new Vocabularies(
                Map.of(Vocabularies.TOKENS, Tokenizer.of(Settings.TokenizerName.CHAR, List.of("a", "b", "c"))));
    }

    /** Two lanes of two chunks. The token after an "a" depends on the tokens before it. */
    @Override
    List<Batch> batches() {
        int[] tokens = TEXT.chars().map(c -> c - 'a').toArray();
        return List.of(chunk(tokens, 0), chunk(tokens, 3));
    }

    private static Batch chunk(int[] tokens, int from) {
        int[] inputs = new int[6];
        int[] targets = new int[6];
        for (int i = 0; i < 3; i++) {
            inputs[i] = tokens[from + i];
            targets[i] = tokens[from + i + 1];
            inputs[3 + i] = tokens[(from + i + 4) % TEXT.length()];
            targets[3 + i] = tokens[(from + i + 5) % TEXT.length()];
        }
        return new Batch(2, 3, inputs, targets);
    }

    @Override
    Prompt prompt() {
        return prompt("ab", null);
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return (double) metrics.get("cross_entropy") < 0.2;
    }

    /** After training, such a text is generated as a sample. */
    @Test
    void continuesAnEmptySession() throws IOException {
        Task sessions = Task.of(SettingsReader.parse(
                "run.directory = r, corpus { path = p, columns { document = host, order = time } }, model.hidden = 4",
                "test"));
        Vocabularies vocabularies = new Vocabularies(sessions.vocabularyPrefixes());
        try (Network network = new Network(sessions.network(vocabularies), 1)) {
            assertTrue(sessions.answer(network, vocabularies, prompt("", null), OutputStream.nullOutputStream()) > 0);
        }
    }

    /** Samples the first token of the vocabulary whose probability is above 0. */
    private static String sample(String corpus, String prompt, String... symbols) throws IOException {
        Settings settings = SettingsReader.parse(
                "run.directory = r, model.hidden = 4, corpus { path = p, " + corpus + " }", "test");
        Task task = Task.of(settings);
        Tokenizer untrained = (Tokenizer) task.vocabularyPrefixes().get(Vocabularies.TOKENS);
        List<String> all =
                Stream.concat(untrained.symbols().stream(), Stream.of(symbols)).toList();
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, Tokenizer.of(untrained.kind(), all)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Network network = new Network(task.network(vocabularies), 1)) {
            Prompt request = new Prompt(prompt, 3, logits -> {
                int token = 0;
                while ((token == TargetSequences.END_TOKEN && documents(corpus)) || logits[token] < -1e9) {
                    token++;
                }
                return token;
            });
            task.answer(network, vocabularies, request, out);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static boolean documents(String corpus) {
        return corpus.contains("documents = reset");
    }

    @Test
    void samplesNeitherTheStartNorUnknownTokens() throws IOException {
        assertEquals("aaa", sample("documents = reset", "", "a", "b"));
        assertEquals("\n\n\n", sample("tokenizer = word", "", "cat"));
        assertEquals("aaa", sample("min-count = 2", "", "a"));
    }

    @Test
    void theLinesOfAPromptAreTheRowsOfASession() throws IOException {
        String sessions = "tokenizer = word, columns { document = host, order = time }";
        Task task = Task.of(SettingsReader.parse("run.directory = r, corpus { path = p, " + sessions + " }", "test"));
        Vocabularies vocabularies = new Vocabularies(Map.of(
                Vocabularies.TOKENS,
                Tokenizer.of(
                        Settings.TokenizerName.WORD, List.of("<unk>", "<start>", "<end>", "<sep>", "cat", "dog"))));
        assertEquals(List.of("cow"), task.unknownTokens("cat\r\ndog cow\n", vocabularies));
        assertEquals("cat\ndog\n", sample(sessions, "cat\ndog\n", "cat", "dog"));
    }
}
