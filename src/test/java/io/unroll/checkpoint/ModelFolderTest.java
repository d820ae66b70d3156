package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    void readsTheModelThatWasWritten() {
        TrainedModel written = write(1);

        TrainedModel read = open(path()).read();

        assertEquals(written.manifest(), read.manifest());
        assertEquals(written.settings(), read.settings());
        assertEquals(written.shape(), read.shape());
        assertEquals("b", read.vocabularies().tokens().symbol(1));
        assertArrayEquals(written.parameters(), read.parameters());
    }

    @Test
    void readsTheModelInTheDirectoryOfARun() {
        write(1);

        assertEquals(7, open(folder.toString()).read().settings().run().seed());
    }

    @Test
    void overwritesOnlyIfRequested() throws IOException {
        write(1);
        TrainedModel other = model(2);

        String message = assertThrows(UnrollException.class, () -> open(path()).write(other, false))
                .getMessage();
        assertTrue(message.contains("it exists"), message);

        open(path()).write(other, true);
        assertArrayEquals(other.parameters(), open(path()).read().parameters());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(Path.of("model")), files.map(Path::getFileName).toList());
        }
    }

    @Test
    void warmStartRequiresTheSameNetwork() throws IOException {
        Path images = Files.writeString(folder.resolve("images.zip"), "one");
        String captioning = "task = captioning, corpus.images = i, training.start-from = \"" + path() + "\"\n"
                + "model.image { features = 3, layer = seen, network = \"" + images + "\" }\n";
        Settings settings = settings(captioning);
        TrainedModel written = model(1, settings);
        open(path()).write(written, false);

        Configuration hadoop = new Configuration();
        assertTrue(RunIdentity.warmStart(settings("training.start-from = \"\""), hadoop)
                .isEmpty());
        TrainedModel loaded = RunIdentity.warmStart(
                        settings(captioning + "model.dropout = 0.5, corpus.min-count = 2"), hadoop)
                .orElseThrow();
        assertArrayEquals(written.parameters(), loaded.parameters());
        Settings wider = settings(captioning + "model.image.features = 4");
        assertEquals("model.image.features is 4, and was 3", difference(() -> RunIdentity.warmStart(wider, hadoop)));
        Files.writeString(images, "two");
        assertEquals("model.image.network is another file", difference(() -> RunIdentity.warmStart(settings, hadoop)));
    }

    private String difference(Executable warmStart) {
        String message = assertThrows(ConfigurationException.class, warmStart).getMessage();
        return message.replace("training.start-from, " + path() + ", has another network: ", "")
                .replace(". Give the settings that it was trained with.", "");
    }

    @Test
    void copiesTheFilesOnlyIfTheyDiffer() throws IOException {
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

    /** Interrupts the copy after 0, 1, 2, ... changes to the file system. */
    @Test
    void anInterruptedCopyLeavesOneCompleteModel() throws IOException {
        TrainedModel oldModel = model(1);
        TrainedModel newModel = write(2);
        int changes = 0;
        int replaced = 0;
        for (boolean died = true; died; changes++) {
            Path target = Files.createDirectories(folder.resolve("target" + changes));
            open(target + "/model").write(oldModel, false);
            Configuration dying = DyingFileSystem.dyingAfter(changes);
            try {
                new ModelFolder(target + "/model", dying).copyFrom(new ModelFolder(path(), dying));
            } catch (UnrollException e) {
                assertTrue(DyingFileSystem.hasDied(), e.getMessage());
            }
            died = DyingFileSystem.hasDied();

            assertTrue(open(target + "/model").recover(), "after " + changes + " changes");
            float[] parameters = open(target + "/model").read().parameters();
            boolean isNew = Arrays.equals(parameters, newModel.parameters());
            assertTrue(isNew || Arrays.equals(parameters, oldModel.parameters()));
            replaced += isNew ? 1 : 0;
            try (Stream<Path> files = Files.list(target)) {
                assertEquals(
                        List.of(Path.of("model")), files.map(Path::getFileName).toList());
            }
        }
        assertTrue(changes > 6, "the copy made only " + changes + " changes");
        assertTrue(replaced > 0 && replaced < changes, replaced + " of " + changes + " were replaced");
    }

    @Test
    void restoresTheOldModelIfTheNewOneIsIncomplete() throws IOException {
        write(1);
        Files.move(folder.resolve("model"), folder.resolve(".model-old-1"));
        write(2);
        Files.delete(folder.resolve("model/network.zip"));

        assertTrue(open(path()).recover());

        assertArrayEquals(model(1).parameters(), open(path()).read().parameters());
    }

    /** The newer Unroll can still read it. */
    @Test
    void aModelOfANewerUnrollIsNotPartial() throws IOException {
        write(1);
        Path manifest = folder.resolve("model/manifest.json");
        Files.delete(folder.resolve("model/.manifest.json.crc"));
        Files.writeString(manifest, Files.readString(manifest).replace("\"version\" : 1", "\"version\" : 9"));

        String message = assertThrows(UnrollException.class, () -> open(path()).isPartial())
                .getMessage();

        assertTrue(message.contains("written by a newer Unroll"), message);
    }

    /** It may be readable again a moment later. */
    @Test
    void aModelThatCannotBeReadNowIsNotPartial() {
        write(1);
        Configuration unreadable = new Configuration();
        unreadable.setClass("fs.file.impl", CheckpointsTest.Unreadable.class, FileSystem.class);
        unreadable.setBoolean("fs.file.impl.disable.cache", true);

        String message = assertThrows(UnrollException.class, () -> new ModelFolder(path(), unreadable).isPartial())
                .getMessage();

        assertTrue(message.contains("cannot read the model"), message);
        assertFalse(open(path()).isPartial());
    }

    /** Stock Deeplearning4j may have trained them further. */
    @Test
    void aModelWithChangedWeightsIsNotPartial() throws IOException {
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
    void doesNotReplaceAFolderThatIsNotAModel() throws IOException {
        Files.createDirectories(folder.resolve("books"));

        String message = assertThrows(ConfigurationException.class, () -> open(folder + "/books")
                        .recover())
                .getMessage();

        assertTrue(message.contains("is not a model folder, so it is not replaced"), message);
    }

    @Test
    void rejectsAPathThatIsNotAModel() throws IOException {
        Files.createDirectories(folder.resolve("empty"));
        Files.createDirectories(folder.resolve("stopped/checkpoints"));
        Files.writeString(folder.resolve("stopped/checkpoints/round-00000003.checkpoint"), "");

        String none = folder + "/none: no such model folder. ";
        String noModel = "There is no model or checkpoint there: give the path that train printed.";
        String stopped = "Training was stopped: run the same train command again to resume.";
        assertEquals(none + noModel, messageOf(folder + "/none"));
        String empty = folder + "/empty is not a model folder: it has no manifest.json. ";
        assertEquals(empty + noModel, messageOf(folder + "/empty"));
        String run = folder + "/stopped is not a model folder: it has no manifest.json. ";
        assertEquals(run + stopped, messageOf(folder + "/stopped"));
        assertEquals(folder + "/stopped/model: no such model folder. " + stopped, messageOf(folder + "/stopped/model"));
    }

    /** The keys are those of the first version; symbols and weights were added later. */
    @Test
    void readsAndWritesTheKeysOfEarlierVersions() throws IOException {
        TrainedModel written = write(1);
        Path file = folder.resolve("model/manifest.json");
        JsonNode manifest = new ObjectMapper().readTree(file.toFile());
        List<String> keys = new ArrayList<>();
        manifest.fieldNames().forEachRemaining(keys::add);
        assertEquals(
                Set.of(
                        "format",
                        "version",
                        "versions",
                        "seed",
                        "corpus",
                        "vocabulary",
                        "parameters",
                        "epochs",
                        "rounds",
                        "tokens",
                        "trainingLoss",
                        "validationLoss",
                        "symbols",
                        "weights"),
                Set.copyOf(keys));
        assertEquals(7, manifest.get("seed").asInt());
        assertEquals(1.5, manifest.get("trainingLoss").asDouble());

        Files.writeString(
                file,
                """
                {"format": "unroll-model", "version": 1, "versions": {"unroll": "0.1"}, "seed": 7, "corpus": "hash",
                 "vocabulary": %d, "parameters": %d, "epochs": 1, "rounds": 2, "tokens": 3, "trainingLoss": 1.5}
                """
                        .formatted(
                                manifest.get("vocabulary").asInt(),
                                manifest.get("parameters").asInt()));
        Files.delete(folder.resolve("model/.manifest.json.crc"));
        assertEquals(written.manifest(), open(path()).read().manifest());
    }

    @Test
    void distinguishesANewerModelFromADamagedOne() throws IOException {
        write(1);
        Path manifest = folder.resolve("model/manifest.json");
        String text = Files.readString(manifest);
        Files.delete(folder.resolve("model/.manifest.json.crc"));

        Files.writeString(manifest, text.replace("\"version\" : 1", "\"version\" : 9"));
        assertTrue(messageOf(path()).contains("of version 9 of the unroll-model format, written by a newer Unroll"));
        Files.writeString(manifest, text.substring(0, 40));
        assertTrue(messageOf(path()).contains("is damaged"));
        Files.writeString(manifest, "{}");
        assertTrue(messageOf(path()).contains("is not an unroll-model file"));
    }

    @Test
    void rejectsATruncatedNetwork() throws IOException {
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

    private TrainedModel write(long seed) {
        TrainedModel model = model(seed);
        open(path()).write(model, false);
        return model;
    }

    private static TrainedModel model(long seed) {
        return model(seed, settings(""));
    }

    private static Settings settings(String extraSettings) {
        return SettingsReader.parse(
                "run.directory = r, corpus.path = t, run.seed = 7, model { hidden = 3, layers = 1 }\n" + extraSettings,
                "test");
    }

    private static TrainedModel model(long seed, Settings settings) {
        List<String> symbols = new ArrayList<>(
                Task.of(settings).vocabularyPrefixes().get(Vocabularies.TOKENS).symbols());
        symbols.addAll(List.of("a", "b", "\n", "\uD83D\uDE00"));
        Tokenizer tokenizer = Tokenizer.of(Settings.TokenizerName.CHAR, symbols);
        Vocabularies vocabularies = new Vocabularies(Map.of(Vocabularies.TOKENS, tokenizer));
        TrainedModel empty = new TrainedModel(null, settings, vocabularies, new float[0], new float[0]);
        try (Network network = new Network(empty.shape(), seed)) {
            float[] parameters = network.parameters();
            Manifest manifest = new Manifest("hash", 1, 2, 3, 1.5, null);
            return new TrainedModel(manifest, settings, vocabularies, parameters, network.optimizerState());
        }
    }
}
