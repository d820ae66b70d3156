package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {
    @TempDir
    private Path folder;

    @Test
    void aModelReadsBackAsItWasWritten() {
        Model written = write(1);

        Model read = open(path()).read();

        assertEquals(written.manifest(), read.manifest());
        assertEquals(written.settings(), read.settings());
        assertEquals(written.shape(), read.shape());
        assertEquals("b", read.vocabulary().symbol(1));
        assertArrayEquals(written.parameters(), read.parameters());
    }

    @Test
    void theRunsDirectoryServesToo() {
        write(1);

        assertEquals(7, open(folder.toString()).read().manifest().seed());
    }

    @Test
    void nothingIsOverwrittenUnlessTold() throws IOException {
        write(1);
        Model other = model(2);

        String message = assertThrows(UnrollException.class, () -> open(path()).write(other, false))
                .getMessage();
        assertTrue(message.contains("it exists"), message);

        open(path()).write(other, true);
        assertArrayEquals(other.parameters(), open(path()).read().parameters());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(Path.of("model")), left.map(Path::getFileName).toList());
        }
    }

    @Test
    void whatIsNoModelIsSaid() throws IOException {
        Files.createDirectories(folder.resolve("empty"));

        assertTrue(messageOf(folder + "/none").contains("no such model folder"));
        assertTrue(messageOf(folder + "/empty").contains("is no model folder: it has no manifest.json"));
    }

    @Test
    void aNewerModelAndADamagedOneAreToldApart() throws IOException {
        write(1);
        Path manifest = folder.resolve("model/manifest.json");
        String text = Files.readString(manifest);
        Files.delete(folder.resolve("model/.manifest.json.crc"));

        Files.writeString(manifest, text.replace("\"version\" : 1", "\"version\" : 9"));
        assertTrue(messageOf(path()).contains("of version 9 of the unroll-model format, written by a newer Unroll"));
        Files.writeString(manifest, text.substring(0, 40));
        assertTrue(messageOf(path()).contains("is damaged"));
        Files.writeString(manifest, "{}");
        assertTrue(messageOf(path()).contains("is no unroll-model file"));
    }

    @Test
    void aCutNetworkIsSaid() throws IOException {
        write(1);
        Path network = folder.resolve("model/network.zip");
        byte[] bytes = Files.readAllBytes(network);
        Files.delete(folder.resolve("model/.network.zip.crc"));
        Files.write(network, java.util.Arrays.copyOf(bytes, bytes.length / 2));

        assertTrue(messageOf(path()).contains("network.zip is damaged"), messageOf(path()));
    }

    private String path() {
        return folder + "/model";
    }

    private static ModelFolder open(String path) {
        return new ModelFolder(path, new Configuration());
    }

    private static String messageOf(String path) {
        return assertThrows(UnrollException.class, () -> open(path).read()).getMessage();
    }

    private Model write(long seed) {
        Model model = model(seed);
        open(path()).write(model, false);
        return model;
    }

    private static Model model(long seed) {
        Settings settings = SettingsReader.parse(
                "run.directory = r, corpus.path = t, run.seed = 7, model { hidden = 3, layers = 1 }", "test");
        Vocabulary vocabulary = new Vocabulary(Settings.TokenizerName.CHAR, List.of("a", "b", "\n", "\uD83D\uDE00"));
        Model empty = new Model(null, settings, vocabulary, new float[0], new float[0]);
        try (Network network = new Network(empty.shape(), seed)) {
            float[] parameters = network.parameters();
            Manifest manifest =
                    new Manifest(Versions.all(), 7, "hash", vocabulary.size(), parameters.length, 1, 2, 3, 1.5, null);
            return new Model(manifest, settings, vocabulary, parameters, network.optimizerState());
        }
    }
}
