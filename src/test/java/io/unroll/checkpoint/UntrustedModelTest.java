package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.unroll.Marker;
import io.unroll.Zips;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.Weights;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Model folders made by an attacker or a bad disk: reading them runs no code in them and fails with one sentence. */
class UntrustedModelTest {
    private static final Configuration HADOOP = new Configuration();
    private static final String ENCODERS = "task = seq2seq, model { attention = general, bidirectional = true }";

    /** The name of a class that adds a mark if it is loaded; a string, because a class literal could load it. */
    private static final String LOADED = Matcher.quoteReplacement("io.unroll.Marker$Loaded");

    @TempDir
    private Path folder;

    private TrainedModel written;

    @BeforeEach
    void clearMarks() {
        Marker.MARKS.clear();
    }

    @AfterEach
    void assertThatNoCodeRan() {
        assertEquals(List.of(), Marker.MARKS);
    }

    /** Shows that the attack works against stock Deeplearning4j, so that the other tests are meaningful. */
    @Test
    void stockDeeplearning4jDeserializesObjectsInAZip() throws IOException {
        write("");
        File zip = folder.resolve("stock.zip").toFile();
        Files.write(zip.toPath(), Zips.with(bytes("network.zip"), "preprocessor.bin", Marker.serialized()));

        assertThrows(ClassCastException.class, () -> ModelSerializer.restoreMultiLayerNetwork(zip, false));

        assertEquals(List.of("deserialized"), Marker.MARKS);
        Marker.MARKS.clear();
    }

    @Test
    void stockDeeplearning4jReadsAndWritesOurNetworks() throws IOException {
        write("");
        var network = ModelSerializer.restoreMultiLayerNetwork(
                folder.resolve("model/network.zip").toFile(), true);

        assertEquals(written.parameters().length, network.numParams());
        network.setParams(network.params().mul(2));
        File zip = folder.resolve("model/network.zip").toFile();
        ModelSerializer.writeModel(network, zip, true);
        Files.deleteIfExists(folder.resolve("model/.network.zip.crc"));
        assertRejected("If they were changed on purpose, remove \"weights\" from manifest.json");
        String manifest = new String(bytes("manifest.json"), StandardCharsets.UTF_8);
        replace(
                "manifest.json",
                manifest.replaceFirst(",\\s*\"weights\" : \\d+", "").getBytes(StandardCharsets.UTF_8));

        float[] read = read().parameters();
        for (int i = 0; i < read.length; i++) {
            assertEquals(2 * written.parameters()[i], read[i]);
        }
    }

    @Test
    void rejectsUnexpectedZipEntries() throws IOException {
        write(ENCODERS);
        List<String> zips = List.of("network.zip", "encoder.zip", "encoder-forward.zip", "attention.zip");
        List<String> names = List.of(
                "preprocessor.bin",
                "normalizer.bin",
                "noParams.marker",
                "objects/marker",
                "../escaped",
                "/tmp/escaped",
                "configuration.json/../../escaped",
                "..\\escaped",
                "Configuration.json",
                "more");
        for (String zip : zips) {
            byte[] good = bytes(zip);
            for (String name : names) {
                replace(zip, Zips.with(good, name, Marker.serialized()));
                assertRejected(zip + " is damaged: it has an unexpected entry \"" + name + "\"");
            }
            for (String name : List.of("configuration.json", "coefficients.bin")) {
                replace(zip, Zips.with(good, name, Marker.serialized()));
                assertRejected(zip + " is damaged: ");
                replace(zip, Zips.twice(good, name));
                assertRejected(zip + " is damaged: it has two entries " + name);
            }
            replace(zip, good);
        }
        assertArrayEquals(written.parameters(), read().parameters());
        assertFalse(Files.exists(folder.resolve("escaped")));
    }

    @Test
    void rejectsOptimizerStateIfTheOptimizerHasNone() throws IOException {
        write("training.optimizer = adam");
        byte[] state = Zips.entries(bytes("network.zip")).get("updaterState.bin");
        replace("network.zip", Zips.with(bytes("network.zip"), "updaterState.bin", Marker.serialized()));
        assertRejected("network.zip is damaged");

        write("training.optimizer = sgd");
        replace("network.zip", Zips.with(bytes("network.zip"), "updaterState.bin", state));
        assertRejected("it has an unexpected entry \"updaterState.bin\"");
    }

    @Test
    void doesNotLoadClassesThatAConfigurationNames() throws IOException {
        write("");
        byte[] good = bytes("network.zip");
        String json = new String(Zips.entries(good).get("configuration.json"), StandardCharsets.UTF_8);
        for (String bad : List.of(
                json.replaceFirst("\"@class\" : \"[^\"]*", "\"@class\" : \"" + LOADED),
                json.replaceFirst("\"type\" : \"[^\"]*", "\"type\" : \"" + LOADED),
                json.replaceFirst("\\{", "{ \"@class\" : \"" + LOADED + "\","),
                "[".repeat(20_000),
                "{}",
                "null",
                "")) {
            replace("network.zip", Zips.with(good, "configuration.json", bad.getBytes(StandardCharsets.UTF_8)));
            assertRejected("network.zip is damaged: configuration.json");
        }
    }

    @Test
    void doesNotReadHugeEntries() throws IOException {
        write("");
        byte[] coefficients = Zips.entries(bytes("network.zip")).get("coefficients.bin");
        for (String name : List.of("coefficients.bin", "configuration.json", "updaterState.bin", "more")) {
            byte[] start = name.equals("configuration.json") ? new byte[0] : coefficients;
            replace("network.zip", Zips.bomb(name, start, 128));
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> assertRejected("network.zip is damaged: "));
        }
        for (String name : List.of("settings.conf", "manifest.json")) {
            write("");
            replace(name, new byte[3 << 20]);
            assertRejected(name + " is damaged: it has more than 1048576 bytes");
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void rejectsWeightsThatAreNotFinite(float bad) throws IOException {
        write(ENCODERS);
        for (int index : new int[] {0, written.parameters().length / 2, written.parameters().length - 1}) {
            float[] parameters = written.parameters().clone();
            parameters[index] = bad;
            open().write(
                            TestModels.model(
                                    written.settings(), written.vocabularies(), parameters, written.optimizerState()),
                            true);
            assertRejected("coefficients.bin contains numbers that are infinite or not a number");
        }
    }

    @Test
    void storedSettingsCannotIncludeOrSubstitute() throws IOException {
        write("");
        List<String> requests = new ArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.add(exchange.getRequestURI().toString());
            exchange.sendResponseHeaders(404, -1);
        });
        server.start();
        String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/x";
        Path secret = Files.writeString(folder.resolve("secret.conf"), "task = classification");
        List<String> includes = List.of(
                "include url(\"" + url + "\")",
                "include \"" + url + "\"",
                "include file(\"" + secret + "\")",
                "include \"" + secret + "\"",
                "include classpath(\"io/unroll/config/reference.conf\")",
                "include required(file(\"" + secret + "\"))",
                "include required(url(\"" + url + "\"))",
                "include required(\"" + secret + "\")",
                "include required(classpath(\"reference.conf\"))",
                "include \"missing.conf\"",
                "model { include file(\"" + secret + "\") }");
        for (String include : includes) {
            assertSettingsRejected(include, "but stored settings must not include anything");
        }
        for (String substitution : List.of(
                "model.cell = ${PATH}",
                "model.cell = ${?PATH}",
                "model.cell = ${java.version}",
                "model.cell = ${model.activation}",
                "corpus.path = \"a\"${user.home}",
                "corpus.columns = ${model}",
                "corpus.path += ${HOME}")) {
            assertSettingsRejected(substitution, "has a ${...}, which is not allowed in stored settings");
        }
        server.stop(0);
        assertEquals(List.of(), requests);
    }

    private void assertSettingsRejected(String line, String reason) throws IOException {
        String text = written.settings().text() + "\n" + line;
        replace("settings.conf", text.getBytes(StandardCharsets.UTF_8));
        String message = assertRejected(folder.resolve("model") + " is damaged: settings.conf ");
        assertTrue(message.contains(reason), message);
        assertFalse(message.contains(String.valueOf(System.getenv("PATH"))), message);

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents(text, "hash", CheckpointsTest.state(1, 0.5)), out);
        Path run = Files.createDirectories(folder.resolve("run/checkpoints"));
        Files.write(run.resolve("round-00000001.checkpoint"), out.toByteArray());
        Settings settings = TestModels.settings("run.directory = \"" + folder.resolve("run") + "\"");
        List<String> damaged = new ArrayList<>();
        assertThrows(UnrollException.class, () -> new Checkpoints(settings, new Configuration())
                .latest((name, problem) -> damaged.add(problem)));
        assertTrue(damaged.toString().contains(reason), damaged.toString());
    }

    @Test
    void rejectsDeeplyNestedFiles() throws IOException {
        write("");
        replace("settings.conf", "a{".repeat(200_000).getBytes(StandardCharsets.UTF_8));
        assertRejected("is damaged");
        replace("manifest.json", "{\"a\":".repeat(100_000).getBytes(StandardCharsets.UTF_8));
        assertRejected("manifest.json is damaged");
    }

    @Test
    void rejectsMissingEmptyAndDuplicateSymbols() throws IOException {
        write("");
        String good = Files.readString(folder.resolve("model/vocabulary.json"));
        assertTrue(good.contains("\"a\", \"b\""), good);
        for (String symbols : List.of("\"a\", \"a\"", "\"a\", \"\"", "\"a\", null")) {
            replace("vocabulary.json", good.replace("\"a\", \"b\"", symbols).getBytes(StandardCharsets.UTF_8));
            assertRejected("vocabulary.json is damaged: symbol 1");
        }
        String empty = good.replaceFirst("\"symbols\" : \\[[^]]*]", "\"symbols\" : []");
        replace("vocabulary.json", empty.getBytes(StandardCharsets.UTF_8));
        assertRejected("is damaged");
        String none = good.replaceFirst("\"symbols\" : \\[[^]]*]", "\"symbols\" : null");
        replace("vocabulary.json", none.getBytes(StandardCharsets.UTF_8));
        assertRejected("vocabulary.json is damaged: it has no symbols");
    }

    /** The models differ in one setting each, which at least two files contain. */
    @Test
    void rejectsFilesOfDifferentModels() throws IOException {
        List<String> others = List.of(
                "model.hidden = 4",
                "model.cell = gru",
                "model { cell = rnn, activation = relu }",
                "model.layers = 2",
                "model.tied = true, model.embedding = 3",
                "model.dropout = 0.5",
                "model.peepholes = true",
                "training.optimizer = sgd",
                "corpus.tokenizer = word",
                "corpus.tokenizer = byte",
                "task = classification",
                "task = captioning, model.image.features = 5",
                ENCODERS);
        write("");
        for (String other : others) {
            byte[] settings = TestModels.settings(other).text().getBytes(StandardCharsets.UTF_8);
            replace("settings.conf", settings);
            assertRejected("is damaged");
        }
        write("run.seed = 8");
        byte[] manifest = bytes("manifest.json");
        byte[] weights = bytes("network.zip");
        write("");
        replace("manifest.json", manifest);
        assertRejected("manifest.json and settings.conf disagree: seed is 8 and 7");
        write("");
        replace("network.zip", weights);
        assertRejected("manifest.json and network.zip disagree: the weights are not those");
        for (String symbols : List.of("abcd", "abc", "b\na")) {
            open().write(TestModels.model(TestModels.settings(""), symbols.split("")), true);
            byte[] vocabulary = bytes("vocabulary.json");
            byte[] network = bytes("network.zip");
            write("");
            replace("vocabulary.json", vocabulary);
            assertRejected("manifest.json and vocabulary");
            if (symbols.length() != 3) {
                write("");
                replace("network.zip", network);
                assertRejected(
                        "network.zip is damaged: configuration.json describes another network than the settings");
            }
        }
    }

    @Test
    void rejectsTruncatedFiles() throws IOException {
        write("");
        for (String name : List.of("network.zip", "vocabulary.json", "manifest.json", "settings.conf")) {
            byte[] good = bytes(name);
            // Settings may still be valid if only their last lines are missing.
            int longest = name.equals("settings.conf") ? good.length / 2 : good.length - 2;
            for (int length = 0; length <= longest; length += 1 + good.length / 20) {
                replace(name, Arrays.copyOf(good, length));
                assertRejected(name.equals("settings.conf") ? "" : name);
            }
            Files.delete(folder.resolve("model").resolve(name));
            String message = assertThrows(UnrollException.class, this::read).getMessage();
            assertTrue(message.contains(name) && !message.contains("\n"), message);
            replace(name, good);
        }
        byte[] network = bytes("network.zip");
        replace("network.zip", Arrays.copyOf(network, network.length - 1));
        assertRejected("network.zip is damaged: it ends too early");
    }

    @Test
    void rejectsACheckpointWithWeightsThatAreNotFinite() throws IOException {
        float[] good = {1, 2};
        float[] bad = {1, Float.NaN};
        for (float[][] arrays : new float[][][] {{bad, good, good}, {good, bad, good}, {good, good, bad}}) {
            var snapshot = new Snapshot(new Weights(arrays[0], arrays[1]), arrays[2], List.of(), 1, 1, 1, 1, 1);
            byte[] bytes = checkpoint(
                    new RunState(snapshot, CheckpointsTest.state(1, 0.5).report(), null, null, null));
            String message = assertThrows(
                            CheckpointFile.InvalidCheckpointException.class,
                            () -> CheckpointFile.read(new ByteArrayInputStream(bytes), bytes.length, "a file"))
                    .getMessage();
            assertEquals("it contains weights that are infinite or NaN", message);
        }
    }

    private static byte[] checkpoint(RunState state) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents("task = language-model", "hash", state), out);
        return out.toByteArray();
    }

    private void write(String extraSettings) throws IOException {
        FileUtils.deleteDirectory(folder.resolve("model").toFile());
        written = TestModels.model(TestModels.settings(extraSettings), "a", "b", "\n");
        open().write(written, true);
    }

    private ModelFolder open() {
        return new ModelFolder(folder + "/model", HADOOP);
    }

    private TrainedModel read() {
        return open().read();
    }

    private byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(folder.resolve("model").resolve(name));
    }

    private void replace(String name, byte[] bytes) throws IOException {
        Files.deleteIfExists(folder.resolve("model/." + name + ".crc"));
        Files.write(folder.resolve("model").resolve(name), bytes);
    }

    private String assertRejected(String reason) {
        String message = assertThrows(UnrollException.class, this::read, reason).getMessage();
        assertTrue(message.contains(reason), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }
}
