package io.unroll.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsReaderTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = folder.resolve("run.conf");
        Files.writeString(file, "run.directory = out\ncorpus.path = text\ntraining {\n  batch = 8\n}\n");
    }

    @Test
    void overridesTakePrecedenceOverTheFileAndTheFileOverDefaults() {
        Settings settings = SettingsReader.read(file, List.of("training.tbptt=16", "corpus.path=hdfs://host/a b//c"));

        assertEquals(8, settings.training().batch());
        assertEquals(16, settings.training().tbptt());
        assertEquals("hdfs://host/a b//c", settings.corpus().path());
        assertEquals(0.002, settings.training().learningRate());
        assertEquals("out/prepared", settings.corpus().prepared());
        assertEquals(Settings.Averaging.EPOCH, settings.cluster().averaging().everyChunks());
    }

    @Test
    void embeddingIsAsLargeAsHiddenByDefault() {
        assertEquals(
                96,
                SettingsReader.read(file, List.of("model.hidden=96")).model().embedding());
    }

    @Test
    void storedSettingsAreReadBackEqual() {
        Settings settings = SettingsReader.read(file, List.of("cluster.averaging.every=3", "run.directory=o"));

        assertEquals(settings, SettingsReader.parse(settings.text(), "stored"));
    }

    @Test
    void theMessageForAnUnknownKeyHasTheLineAndTheNearestKey() throws IOException {
        Files.writeString(file, "run.directory = out\ntraining {\n  learning_rate = 1\n}\n");

        String message = messageOf(List.of());

        assertTrue(message.contains("run.conf:3: unknown key training.learning_rate"), message);
        assertTrue(message.contains("did you mean training.learning-rate?"), message);
    }

    @Test
    void theNearestKeyMayBeInAnotherGroup() {
        String message = messageOf(List.of("epoch=3"));

        assertTrue(message.contains("the command line: unknown key epoch; did you mean training.epochs?"), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "training.batch=0              | training.batch is 0; it must be from 1 to 1000000.",
                "training.epochs=1.5           | training.epochs is 1.5; it must be a whole number of at most 2147483647.",
                "corpus.validation=1           | corpus.validation is 1.0; it must be from 0 to below 1.",
                "corpus.test=0.99              | corpus.test is 0.99; it must be less than 1 - corpus.validation.",
                "model.cell=lsmt               | model.cell is lsmt; it must be one of lstm, gru, rnn.",
                "model.activation=relu         | model.activation is relu; it must be tanh, unless model.cell is rnn.",
                "model.reset-after=true        | model.reset-after is true; it must be false, unless model.cell is gru.",
                "model.bidirectional=true      | model.bidirectional is true; it must be false, unless model.attention is general.",
                "model.precision=half          | model.precision is half; it must be one of float32, bfloat16.",
                "model.recurrence=lanes        | model.recurrence is lanes; it must be one of auto, primitives, steps.",
                "cluster.averaging.every=often | it must be epoch, or a number of chunks from 1 to 999999999.",
                "training.learning-rate=fast   | training.learning-rate is fast; it must be a number.",
                "corpus.path=                  | corpus.path is not set; it must be a file, a folder or a glob.",
                "training                      | is not of the form key=value.",
                "training=3                    | training is a group of keys",
                "training.batch.size=3         | training.batch takes one value",
            })
    void theMessageForAnInvalidValueHasTheValidOnes(String override, String expected) {
        String message = messageOf(List.of(override));

        assertTrue(message.contains(expected), message);
    }

    @Test
    void stepsAreNotComputedInBfloat16() {
        String message = messageOf(List.of("model.recurrence=steps", "model.precision=bfloat16"));

        assertEquals(
                "the command line: model.recurrence is steps; it must be auto or primitives, unless model.precision is"
                        + " float32.",
                message);
    }

    /** As those of version 0.1. */
    @Test
    void storedSettingsWithoutRecurrenceMeanAuto() {
        Settings settings = SettingsReader.read(file, List.of("run.directory=o"));
        String older = settings.text().replaceAll("\n *recurrence=auto", "");

        assertEquals(
                Settings.Recurrence.AUTO,
                SettingsReader.parse(older, "stored").model().recurrence());
        assertEquals(List.of(), SettingsReader.differences(settings, older, "stored"));
        assertEquals(
                List.of("model.recurrence is steps, and was auto"),
                SettingsReader.differences(
                        SettingsReader.override(settings, List.of("model.recurrence=steps")), older, "stored"));
        assertNotEquals(settings.text(), older);
    }

    @Test
    void everyConfigurationInConfIsValid() throws IOException {
        try (DirectoryStream<Path> configurations = Files.newDirectoryStream(Path.of("conf"), "*.conf")) {
            int count = 0;
            for (Path configuration : configurations) {
                SettingsReader.read(configuration, List.of("corpus.path=text", "run.directory=run"));
                count++;
            }
            assertTrue(count > 3, count + " were read");
        }
    }

    @Test
    void theMessageForInvalidHoconNamesTheFile() throws IOException {
        Files.writeString(file, "run.directory = out\ncorpus { path = \n");

        assertTrue(messageOf(List.of()).contains("run.conf"), messageOf(List.of()));
    }

    @Test
    void aMissingFileIsRefused() {
        Path missing = folder.resolve("none.conf");

        Exception e = assertThrows(ConfigurationException.class, () -> SettingsReader.read(missing, List.of()));

        assertTrue(e.getMessage().contains("none.conf: no such configuration file"), e.getMessage());
    }

    private String messageOf(List<String> overrides) {
        return assertThrows(ConfigurationException.class, () -> SettingsReader.read(file, overrides))
                .getMessage();
    }
}
