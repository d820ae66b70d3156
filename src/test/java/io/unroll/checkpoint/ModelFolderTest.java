package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import io.unroll.train.FloatArray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
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
        assertEquals("b", read.vocabularies().tokens().symbol(1));
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
    void trainingStartsFromAModelOfTheSameNetworkOnly() throws IOException {
        Path images = Files.writeString(folder.resolve("images.zip"), "one");
        String captioning = "task = captioning, corpus.images = i, training.start-from = \"" + path() + "\"\n"
                + "model.image { features = 3, layer = seen, network = \"" + images + "\" }\n";
        Settings settings = settings(captioning);
        Model written = model(1, settings);
        open(path()).write(written, false);

        Configuration hadoop = new Configuration();
        assertTrue(ModelFolder.start(settings("training.start-from = \"\""), hadoop)
                .isEmpty());
        Model start = ModelFolder.start(settings(captioning + "model.dropout = 0.5, corpus.min-count = 2"), hadoop)
                .orElseThrow();
        assertArrayEquals(written.parameters(), start.parameters());
        Settings wider = settings(captioning + "model.image.features = 4");
        assertEquals("model.image.features is 4, and was 3", difference(() -> ModelFolder.start(wider, hadoop)));
        Files.writeString(images, "two");
        assertEquals("model.image.network is another file", difference(() -> ModelFolder.start(settings, hadoop)));
    }

    private String difference(Executable start) {
        String message = assertThrows(ConfigurationException.class, start).getMessage();
        return message.replace("training.start-from, " + path() + ", has another network: ", "")
                .replace(". Give the settings that it was trained with.", "");
    }

    @Test
    void aCopyIsTheSameFilesAndIsMadeOnce() throws IOException {
        write(1);
        ModelFolder copy = open(folder + "/deep/copy");

        assertFalse(copy.recover());
        assertTrue(copy.copyFrom(open(folder.toString())));
        assertTrue(copy.recover());
        assertFalse(copy.copyFrom(open(path())));
        for (String file : List.of("network.zip", "settings.conf", "vocabulary.json", "manifest.json")) {
            assertEquals(
                    -1L, Files.mismatch(folder.resolve("model/" + file), folder.resolve("deep/copy/" + file)), file);
        }
        open(path()).write(model(2), true);
        assertTrue(copy.copyFrom(open(path())));
        assertArrayEquals(
                model(2).parameters(), open(folder + "/deep/copy").read().parameters());
    }

    /** After as many changes to the file system as there are, one after the other. */
    @Test
    void whereverACopyDiesOneOfTheTwoModelsIsThereWhole() throws IOException {
        Model former = model(1);
        Model latter = write(2);
        int deaths = 0;
        int replaced = 0;
        for (boolean died = true; died; deaths++) {
            Path target = Files.createDirectories(folder.resolve("target" + deaths));
            open(target + "/model").write(former, false);
            Configuration dying = DyingFileSystem.dyingAfter(deaths);
            try {
                new ModelFolder(target + "/model", dying).copyFrom(new ModelFolder(path(), dying));
            } catch (UnrollException e) {
                assertTrue(DyingFileSystem.hasDied(), e.getMessage());
            }
            died = DyingFileSystem.hasDied();

            assertTrue(open(target + "/model").recover(), "after " + deaths + " changes");
            float[] left = open(target + "/model").read().parameters();
            boolean isNew = Arrays.equals(left, latter.parameters());
            assertTrue(isNew || Arrays.equals(left, former.parameters()));
            replaced += isNew ? 1 : 0;
            try (Stream<Path> files = Files.list(target)) {
                assertEquals(
                        List.of(Path.of("model")), files.map(Path::getFileName).toList());
            }
        }
        assertTrue(deaths > 6, "died " + deaths + " times only");
        assertTrue(replaced > 0 && replaced < deaths, replaced + " of " + deaths + " were replaced");
    }

    @Test
    void aHalfDeletedFolderGivesWayToTheWholeOneAside() throws IOException {
        write(1);
        Files.move(folder.resolve("model"), folder.resolve(".model-old-1"));
        write(2);
        Files.delete(folder.resolve("model/network.zip"));

        assertTrue(open(path()).recover());

        assertArrayEquals(model(1).parameters(), open(path()).read().parameters());
    }

    /** Its own Unroll can still read it. */
    @Test
    void aNewerModelIsNotReplacedAsOneThatIsHalfWritten() throws IOException {
        write(1);
        Path manifest = folder.resolve("model/manifest.json");
        Files.delete(folder.resolve("model/.manifest.json.crc"));
        Files.writeString(manifest, Files.readString(manifest).replace("\"version\" : 1", "\"version\" : 9"));

        String message = assertThrows(UnrollException.class, () -> open(path()).isPartial())
                .getMessage();

        assertTrue(message.contains("written by a newer Unroll"), message);
    }

    /** It may be read again in a moment. */
    @Test
    void aModelThatCannotBeReadNowIsNotTakenForHalfAModel() {
        write(1);
        Configuration unreadable = new Configuration();
        unreadable.setClass("fs.file.impl", CheckpointsTest.Unreadable.class, FileSystem.class);
        unreadable.setBoolean("fs.file.impl.disable.cache", true);

        String message = assertThrows(UnrollException.class, () -> new ModelFolder(path(), unreadable).isPartial())
                .getMessage();

        assertTrue(message.contains("cannot read the model"), message);
        assertFalse(open(path()).isPartial());
    }

    /** Stock Deeplearning4j has trained them further, say. */
    @Test
    void weightsThatWereChangedOnPurposeAreNotReplaced() throws IOException {
        open(folder + "/other/model").write(model(2), false);
        write(1);
        Files.copy(
                folder.resolve("other/model/network.zip"),
                folder.resolve("model/network.zip"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.delete(folder.resolve("model/.network.zip.crc"));

        String message = assertThrows(UnrollException.class, () -> open(path()).isPartial())
                .getMessage();

        assertTrue(message.contains("the weights are not those that were stored"), message);
    }

    @Test
    void whatIsNoModelIsNotReplacedByOne() throws IOException {
        Files.createDirectories(folder.resolve("books"));

        String message = assertThrows(ConfigurationException.class, () -> open(folder + "/books")
                        .recover())
                .getMessage();

        assertTrue(message.contains("is no model folder, and is not replaced by one"), message);
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
        Files.write(network, Arrays.copyOf(bytes, bytes.length / 2));

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
        return model(seed, settings(""));
    }

    private static Settings settings(String more) {
        return SettingsReader.parse(
                "run.directory = r, corpus.path = t, run.seed = 7, model { hidden = 3, layers = 1 }\n" + more, "test");
    }

    private static Model model(long seed, Settings settings) {
        List<String> symbols = new ArrayList<>(
                Task.of(settings).startOfVocabularies().get(Vocabularies.TOKENS).symbols());
        symbols.addAll(List.of("a", "b", "\n", "\uD83D\uDE00"));
        Vocabulary vocabulary = new Vocabulary(Settings.TokenizerName.CHAR, symbols);
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, vocabulary));
        Model empty = new Model(null, settings, vocabularies, new float[0], new float[0]);
        try (Network network = new Network(empty.shape(), seed)) {
            float[] parameters = network.parameters();
            Manifest manifest = new Manifest(
                    Versions.all(),
                    7,
                    "hash",
                    vocabulary.size(),
                    parameters.length,
                    1,
                    2,
                    3,
                    1.5,
                    null,
                    vocabularies.checksum(),
                    FloatArray.checksum(parameters));
            return new Model(manifest, settings, vocabularies, parameters, network.optimizerState());
        }
    }
}
