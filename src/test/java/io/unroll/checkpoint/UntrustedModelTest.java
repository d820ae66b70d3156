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

/** Model folders that an attacker or a bad disk has made: nothing of them runs, and each is refused with a sentence. */
class UntrustedModelTest {
    private static final Configuration HADOOP = new Configuration();
    private static final String ENCODERS = "task = seq2seq, model { attention = general, bidirectional = true }";

    /** Its name does not load it. */
    private static final String LOADED = Matcher.quoteReplacement("io.unroll.Marker$Loaded");

    @TempDir
    private Path folder;

    private Model written;

    @BeforeEach
    void forget() {
        Marker.MARKS.clear();
    }

    @AfterEach
    void nothingHasRun() {
        assertEquals(List.of(), Marker.MARKS);
    }

    /** Without this, the tests below would pass for the wrong reason. */
    @Test
    void stockDeeplearning4jRunsWhatIsInAZip() throws IOException {
        write("");
        File zip = folder.resolve("stock.zip").toFile();
        Files.write(zip.toPath(), Zips.with(bytes("network.zip"), "preprocessor.bin", Marker.serialized()));

        assertThrows(ClassCastException.class, () -> ModelSerializer.restoreMultiLayerNetwork(zip, false));

        assertEquals(List.of("deserialized"), Marker.MARKS);
        Marker.MARKS.clear();
    }

    @Test
    void stockDeeplearning4jStillReadsWhatIsWritten() throws IOException {
        write("");
        var network = ModelSerializer.restoreMultiLayerNetwork(
                folder.resolve("model/network.zip").toFile(), true);

        assertEquals(written.parameters().length, network.numParams());
        network.setParams(network.params().mul(2));
        File again = folder.resolve("model/network.zip").toFile();
        ModelSerializer.writeModel(network, again, true);
        Files.deleteIfExists(folder.resolve("model/.network.zip.crc"));
        assertRefused("If they were changed on purpose, remove \"weights\" from manifest.json");
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
    void anEntryThatDoesNotBelongThereIsRefused() throws IOException {
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
                assertRefused(zip + " is damaged: it has an entry \"" + name + "\", which does not belong there");
            }
            for (String name : List.of("configuration.json", "coefficients.bin")) {
                replace(zip, Zips.with(good, name, Marker.serialized()));
                assertRefused(zip + " is damaged: ");
                replace(zip, Zips.twice(good, name));
                assertRefused(zip + " is damaged: it has two entries " + name);
            }
            replace(zip, good);
        }
        assertArrayEquals(written.parameters(), read().parameters());
        assertFalse(Files.exists(folder.resolve("escaped")));
    }

    @Test
    void anOptimizersStateIsRefusedWhereTheOptimizerHasNone() throws IOException {
        write("training.optimizer = adam");
        byte[] state = Zips.entries(bytes("network.zip")).get("updaterState.bin");
        replace("network.zip", Zips.with(bytes("network.zip"), "updaterState.bin", Marker.serialized()));
        assertRefused("network.zip is damaged");

        write("training.optimizer = sgd");
        replace("network.zip", Zips.with(bytes("network.zip"), "updaterState.bin", state));
        assertRefused("it has an entry \"updaterState.bin\", which does not belong there");
    }

    @Test
    void aClassThatAConfigurationNamesIsNotLoaded() throws IOException {
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
            assertRefused("network.zip is damaged: configuration.json");
        }
    }

    @Test
    void gigabytesAreNotRead() throws IOException {
        write("");
        byte[] coefficients = Zips.entries(bytes("network.zip")).get("coefficients.bin");
        for (String name : List.of("coefficients.bin", "configuration.json", "updaterState.bin", "more")) {
            byte[] start = name.equals("configuration.json") ? new byte[0] : coefficients;
            replace("network.zip", Zips.bomb(name, start, 128));
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> assertRefused("network.zip is damaged: "));
        }
        for (String name : List.of("settings.conf", "manifest.json")) {
            write("");
            replace(name, new byte[3 << 20]);
            assertRefused(name + " is damaged: it has more than 1048576 bytes");
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void weightsThatAreNotFiniteAreRefused(float bad) throws IOException {
        write(ENCODERS);
        for (int place : new int[] {0, written.parameters().length / 2, written.parameters().length - 1}) {
            float[] parameters = written.parameters().clone();
            parameters[place] = bad;
            open().write(
                            TestModels.model(
                                    written.settings(), written.vocabularies(), parameters, written.optimizerState()),
                            true);
            assertRefused("coefficients.bin holds numbers that are infinite or not a number");
        }
    }

    @Test
    void storedSettingsLookNothingUp() throws IOException {
        write("");
        List<String> asked = new ArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
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
            assertSettingsRefused(include, "and stored settings may not include anything");
        }
        for (String substitution : List.of(
                "model.cell = ${PATH}",
                "model.cell = ${?PATH}",
                "model.cell = ${java.version}",
                "model.cell = ${model.activation}",
                "corpus.path = \"a\"${user.home}",
                "corpus.columns = ${model}",
                "corpus.path += ${HOME}")) {
            assertSettingsRefused(substitution, "has a ${...}, which is not allowed in stored settings");
        }
        server.stop(0);
        assertEquals(List.of(), asked);
    }

    private void assertSettingsRefused(String line, String why) throws IOException {
        String text = written.settings().text() + "\n" + line;
        replace("settings.conf", text.getBytes(StandardCharsets.UTF_8));
        String message = assertRefused(folder.resolve("model") + " is damaged: settings.conf ");
        assertTrue(message.contains(why), message);
        assertFalse(message.contains(String.valueOf(System.getenv("PATH"))), message);

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents(text, "hash", CheckpointsTest.state(1, 0.5)), out);
        Path run = Files.createDirectories(folder.resolve("run/checkpoints"));
        Files.write(run.resolve("round-00000001.checkpoint"), out.toByteArray());
        Settings settings = TestModels.settings("run.directory = \"" + folder.resolve("run") + "\"");
        List<String> damaged = new ArrayList<>();
        assertThrows(UnrollException.class, () -> new Checkpoints(settings, new Configuration())
                .latest((name, reason) -> damaged.add(reason)));
        assertTrue(damaged.toString().contains(why), damaged.toString());
    }

    @Test
    void settingsThatAreNestedWithoutEndAreRefused() throws IOException {
        write("");
        replace("settings.conf", "a{".repeat(200_000).getBytes(StandardCharsets.UTF_8));
        assertRefused("is damaged");
        replace("manifest.json", "{\"a\":".repeat(100_000).getBytes(StandardCharsets.UTF_8));
        assertRefused("manifest.json is damaged");
    }

    @Test
    void symbolsMustBeThereAndDifferent() throws IOException {
        write("");
        String good = Files.readString(folder.resolve("model/vocabulary.json"));
        assertTrue(good.contains("\"a\", \"b\""), good);
        for (String symbols : List.of("\"a\", \"a\"", "\"a\", \"\"", "\"a\", null")) {
            replace("vocabulary.json", good.replace("\"a\", \"b\"", symbols).getBytes(StandardCharsets.UTF_8));
            assertRefused("vocabulary.json is damaged: symbol 1");
        }
        String empty = good.replaceFirst("\"symbols\" : \\[[^]]*]", "\"symbols\" : []");
        replace("vocabulary.json", empty.getBytes(StandardCharsets.UTF_8));
        assertRefused("is damaged");
        String none = good.replaceFirst("\"symbols\" : \\[[^]]*]", "\"symbols\" : null");
        replace("vocabulary.json", none.getBytes(StandardCharsets.UTF_8));
        assertRefused("vocabulary.json is damaged: it has no symbols");
    }

    /** Each differs from the others in one thing, which two files at least say. */
    @Test
    void theFilesOfTwoModelsDoNotGoTogether() throws IOException {
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
            assertRefused("is damaged");
        }
        write("run.seed = 8");
        byte[] manifest = bytes("manifest.json");
        byte[] weights = bytes("network.zip");
        write("");
        replace("manifest.json", manifest);
        assertRefused("manifest.json and settings.conf disagree: seed is 8 and 7");
        write("");
        replace("network.zip", weights);
        assertRefused("manifest.json and network.zip disagree: the weights are not those");
        for (String symbols : List.of("abcd", "abc", "b\na")) {
            open().write(TestModels.model(TestModels.settings(""), symbols.split("")), true);
            byte[] vocabulary = bytes("vocabulary.json");
            byte[] network = bytes("network.zip");
            write("");
            replace("vocabulary.json", vocabulary);
            assertRefused("manifest.json and vocabulary");
            if (symbols.length() != 3) {
                write("");
                replace("network.zip", network);
                assertRefused("network.zip is damaged: configuration.json is of another network than the settings");
            }
        }
    }

    @Test
    void aFileThatIsCutAnywhereIsRefused() throws IOException {
        write("");
        for (String name : List.of("network.zip", "vocabulary.json", "manifest.json", "settings.conf")) {
            byte[] good = bytes(name);
            // Of the settings, a last line that is cut may be whole.
            int longest = name.equals("settings.conf") ? good.length / 2 : good.length - 2;
            for (int length = 0; length <= longest; length += 1 + good.length / 20) {
                replace(name, Arrays.copyOf(good, length));
                assertRefused(name.equals("settings.conf") ? "" : name);
            }
            Files.delete(folder.resolve("model").resolve(name));
            String message = assertThrows(UnrollException.class, this::read).getMessage();
            assertTrue(message.contains(name) && !message.contains("\n"), message);
            replace(name, good);
        }
        byte[] network = bytes("network.zip");
        replace("network.zip", Arrays.copyOf(network, network.length - 1));
        assertRefused("network.zip is damaged: it ends too early");
    }

    @Test
    void aCheckpointOfOthersIsRefusedForWhatItHolds() throws IOException {
        float[] good = {1, 2};
        float[] bad = {1, Float.NaN};
        for (float[][] arrays : new float[][][] {{bad, good, good}, {good, bad, good}, {good, good, bad}}) {
            var snapshot = new Snapshot(new Weights(arrays[0], arrays[1]), arrays[2], List.of(), 1, 1, 1, 1, 1);
            byte[] bytes = checkpoint(
                    new RunState(snapshot, CheckpointsTest.state(1, 0.5).report(), null, null, null));
            String message = assertThrows(
                            CheckpointFile.DamagedException.class,
                            () -> CheckpointFile.read(new ByteArrayInputStream(bytes), bytes.length, "a file"))
                    .getMessage();
            assertEquals("it holds weights that are infinite or not a number", message);
        }
    }

    private static byte[] checkpoint(RunState state) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CheckpointFile.write(new CheckpointFile.Contents("task = language-model", "hash", state), out);
        return out.toByteArray();
    }

    private void write(String more) throws IOException {
        FileUtils.deleteDirectory(folder.resolve("model").toFile());
        written = TestModels.model(TestModels.settings(more), "a", "b", "\n");
        open().write(written, true);
    }

    private ModelFolder open() {
        return new ModelFolder(folder + "/model", HADOOP);
    }

    private Model read() {
        return open().read();
    }

    private byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(folder.resolve("model").resolve(name));
    }

    private void replace(String name, byte[] bytes) throws IOException {
        Files.deleteIfExists(folder.resolve("model/." + name + ".crc"));
        Files.write(folder.resolve("model").resolve(name), bytes);
    }

    private String assertRefused(String why) {
        String message = assertThrows(UnrollException.class, this::read, why).getMessage();
        assertTrue(message.contains(why), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }
}
