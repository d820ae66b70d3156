package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.unroll.Unroll.Output;
import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.model.RecurrentState;
import io.unroll.spark.Session;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishIT {
    private static final String TEXT = "abba baab ".repeat(20);

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text"), TEXT);
    }

    @Test
    void aModelIsReplacedOnlyByABetterOneOrWithinTheTolerance() throws Exception {
        writeModel("worse", TokenizerName.CHAR, "ab ", 0);
        writeModel("better", TokenizerName.CHAR, "ab ", 20);
        JsonNode first = publish("worse", "target").json();
        assertTrue(first.get("changed").asBoolean(), first.toString());
        JsonNode second = publish("better", "target").json();
        assertTrue(second.get("published").asBoolean(), second.toString());
        assertEquals(first.get("perplexity"), second.get("published_perplexity"));
        assertSameNetwork("better", "target");

        Output kept = run("publish", "FOLDER/worse", "FOLDER/target", "FOLDER/text");
        assertEquals(0, kept.status(), kept.err());
        assertTrue(kept.out().contains("kept: "), kept.out());
        assertSameNetwork("better", "target");

        double increase =
                first.get("perplexity").asDouble() / second.get("perplexity").asDouble() - 1;
        assertFalse(publish("worse", "target", "--tolerance=" + increase * 0.99)
                .json()
                .get("published")
                .asBoolean());
        assertSameNetwork("better", "target");
        assertTrue(publish("worse", "target", "--tolerance=" + increase * 1.01)
                .json()
                .get("published")
                .asBoolean());
        assertSameNetwork("worse", "target");
    }

    @Test
    void modelsThatCannotBeComparedAreRefused() throws Exception {
        writeModel("char", TokenizerName.CHAR, "ab ", 0);
        writeModel("wide", TokenizerName.CHAR, "abc ", 0);
        writeModel("narrow", TokenizerName.CHAR, "a ", 0);
        writeModel("word", TokenizerName.WORD, "ab", 0);
        writeModel("words", TokenizerName.WORD, "abc", 0);
        Files.createDirectories(folder.resolve("books"));

        assertRefused(2, "word", "char", "their tokenizers differ (word and char)");
        assertRefused(2, "words", "word", "their vocabularies differ, so <unk> replaces different tokens");
        assertRefused(2, "char", "books", "is not a model folder, so it is not replaced");
        assertRefused(2, "nowhere", "char", "no such model folder");
        assertRefused(1, "char", "narrow", "narrow cannot be evaluated: ", "text contains \"b\" (U+0062)");
        assertRefused(1, "narrow", "none", "narrow cannot be evaluated: ");
        assertFalse(Files.exists(folder.resolve("none")));
        assertEquals(2, publish("char", "wide", "--tolerance=-1").status());
        assertEquals(0, publish("char", "wide").status());
    }

    private void assertRefused(int status, String model, String target, String... messages) throws Exception {
        Output output = publish(model, target);
        assertEquals(status, output.status(), output.err());
        for (String message : messages) {
            assertTrue(output.err().contains(message), output.err());
        }
        assertFalse(output.err().contains("\tat "), output.err());
    }

    private void assertSameNetwork(String model, String target) throws IOException {
        assertArrayEquals(
                Files.readAllBytes(folder.resolve(model + "/network.zip")),
                Files.readAllBytes(folder.resolve(target + "/network.zip")));
    }

    private Output publish(String model, String target, String... options) throws Exception {
        List<String> arguments =
                new ArrayList<>(List.of("publish", "FOLDER/" + model, "FOLDER/" + target, "FOLDER/text", "--json"));
        arguments.addAll(List.of(options));
        return run(arguments.toArray(String[]::new));
    }

    private Output run(String... templates) throws Exception {
        String[] arguments = templates.clone();
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = arguments[i].replace("FOLDER", folder.toString());
        }
        return InProcess.unroll(arguments);
    }

    /** Writes a model that is trained on the text for a number of steps. */
    private void writeModel(String name, TokenizerName tokenizer, String symbols, int steps) {
        Settings settings = SettingsReader.parse(
                "run.directory = r, corpus { path = t, tokenizer = "
                        + tokenizer.name().toLowerCase(Locale.ROOT) + " }, model { hidden = 4, layers = 1 }",
                "test");
        List<String> allSymbols =
                new ArrayList<>(tokenizer == TokenizerName.WORD ? List.of("<unk>", "<eos>") : List.of());
        symbols.chars().mapToObj(Character::toString).forEach(allSymbols::add);
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, Tokenizer.of(tokenizer, allSymbols)));
        TrainedModel untrained = new TrainedModel(null, settings, vocabularies, new float[0], new float[0]);
        try (Network network = new Network(untrained.shape(), 1)) {
            for (int step = 0; step < steps; step++) {
                network.setState(RecurrentState.ZERO);
                network.train(batch(symbols), 0.05, 5, step, 0);
            }
            float[] parameters = network.parameters();
            Manifest manifest = new Manifest("hash", 1, 1, 1, 1, null);
            new ModelFolder(folder.resolve(name).toString(), Session.submittedHadoopConfiguration())
                    .write(
                            new TrainedModel(manifest, settings, vocabularies, parameters, network.optimizerState()),
                            false);
        }
    }

    private static Batch batch(String symbols) {
        int[] tokens = TEXT.chars().map(symbols::indexOf).toArray();
        int steps = tokens.length - 1;
        return new Batch(1, steps, Arrays.copyOf(tokens, steps), Arrays.copyOfRange(tokens, 1, steps + 1));
    }
}
