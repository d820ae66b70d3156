package io.unroll.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mistakes and variations in configuration files and in overrides on the command line. */
class WrittenSettingsTest {
    private static final String VALID = "run.directory = out\ncorpus.path = text\n";

    @TempDir
    private Path folder;

    static Stream<Map.Entry<String, ConfigValue>> keys() {
        return ConfigFactory.parseResources(SettingsReader.class, "reference.conf").resolve().entrySet().stream();
    }

    @ParameterizedTest
    @MethodSource("keys")
    void aValueOfTheWrongTypeIsRefusedWithItsKeyAndLine(Map.Entry<String, ConfigValue> known) throws IOException {
        String key = known.getKey();
        for (String value : List.of("null", "[]", "[1, 2]", "{}", "{ a = 1 }", "${NO_SUCH_THING_9}")) {
            String message = messageOf(VALID + key + " = " + value + "\n");

            assertTrue(message.contains("run.conf:3: "), message);
            assertTrue(message.contains(value.startsWith("$") ? value : key), message);
            assertFalse(message.contains("type"), message);
        }
    }

    @ParameterizedTest
    @MethodSource("keys")
    void anInvalidNumberOrBooleanIsRefused(Map.Entry<String, ConfigValue> known) throws IOException {
        ConfigValueType type = known.getValue().valueType();
        if (type == ConfigValueType.STRING) {
            return;
        }
        for (String value : List.of("much", "\"\"", "0x10", "8d", "1_000", "2..3", "\"1 2\"")) {
            String message = messageOf(VALID + known.getKey() + " = " + value + "\n");

            String expected = type == ConfigValueType.NUMBER ? "a number" : "true or false";
            assertTrue(message.contains("run.conf:3: " + known.getKey() + " is "), message);
            assertTrue(message.contains("it must be " + expected), message);
        }
    }

    @ParameterizedTest
    @MethodSource("keys")
    void numbersThatAreNotFiniteOrTooLargeAreRefused(Map.Entry<String, ConfigValue> known) throws IOException {
        if (known.getValue().valueType() != ConfigValueType.NUMBER) {
            return;
        }
        boolean decimal = known.getKey().endsWith("clip-norm")
                || known.getValue().render().contains(".");
        String tooLarge = decimal ? "1.8e308" : "9223372036854775808";
        for (String value : List.of("NaN", "Infinity", "-Infinity", "1e400", "-1e400", tooLarge, "1e999999999")) {
            String message = messageOf(VALID + known.getKey() + " = " + value + "\n");

            assertTrue(message.contains(known.getKey() + " is "), message);
            assertTrue(message.contains("it must be "), message);
        }
    }

    @Test
    void numbersMayBeQuotedAndNegativeZeroBecomesZero() throws IOException {
        Settings settings =
                read(VALID + "training.batch = \"8\"\nmodel.hidden = 1.6e1\nmodel.dropout = -0.0\nrun.seed = -0\n");

        assertEquals(8, settings.training().batch());
        assertEquals(16, settings.model().hidden());
        assertEquals(0L, Double.doubleToRawLongBits(settings.model().dropout()));
        assertEquals(0, settings.run().seed());
        assertEquals(
                Long.MAX_VALUE,
                read(VALID + "run.seed = " + Long.MAX_VALUE).run().seed());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "b = 3                                | run.conf:1: unknown key b; conf/reference.conf has every key.",
                "tasc = seq2seq                       | did you mean task?",
                "xyzzy.plugh = 3                      | unknown key xyzzy.plugh; conf/reference.conf has every key.",
                "include \"none.conf\"                | run.conf:1: include \"none.conf\": there is no file",
                "include required(\"none.conf\")      | run.conf:1: include \"none.conf\": there is no file",
                "include file(\"none.conf\")          | run.conf:1: include \"none.conf\": there is no file",
                "include required(file(\"none.conf\")) | run.conf:1: include \"none.conf\": there is no file",
                "include \"http://127.0.0.1:1/x\"     | run.conf:1: include \"http://127.0.0.1:1/x\": there is no file",
                "include url(\"http://127.0.0.1:1/x\") | run.conf:1: a configuration includes files only",
                "include url(\"file:///etc/passwd\")  | run.conf:1: a configuration includes files only",
                "include classpath(\"reference.conf\") | run.conf:1: a configuration includes files only",
                "include \"run.conf\"                 | run.conf include itself?",
                "run.directory = hdfs://host:1/x      | run.conf:1: such a value needs quotation marks around it",
                "run.directory = \"x                  | run.conf:1: a quotation mark is opened, but not closed",
                "run { directory = x                  | a closing brace is missing at the end of the file",
                "run.directory = x }                  | run.conf:1: there is a closing brace without an opening brace",
                "run.directory = ${x                  | ${ is not closed by }",
                "run.directory                        | a key must be followed by = and a value",
                "[run.directory]                      | run.conf:1: it is a list",
                "corpus.path += x                     | run.conf: a list or a group of keys cannot be joined",
                "run.directory = ${run.directory}     | run.conf: run.directory is not set",
                "training = 3                         | run.conf:1: training is a group of keys",
                "training = null                      | run.conf:1: training is a group of keys",
                "run.directory = ~root/x              | run.conf:1: run.directory is ~root/x: only ~/, your own",
                "''                                   | run.conf: run.directory is not set",
            })
    void theMessageHasTheLineAndTheProblem(String line, String expected) throws IOException {
        String message = messageOf(line + "\n");

        assertTrue(message.contains(expected), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void excessiveNestingIsRefused() throws IOException {
        assertTrue(messageOf("a = " + "{a = ".repeat(100_000)).contains("nested too deep"));
        assertTrue(messageOf("corpus.path = " + "[".repeat(300_000)).contains("nested too deep"));
    }

    @Test
    void includedFilesAreReadAndNamedInErrors() throws IOException {
        Files.createDirectories(folder.resolve("sub"));
        Files.writeString(folder.resolve("sub/base.conf"), "model.hidden = 77\ninclude \"more\"\n");
        Files.writeString(folder.resolve("sub/more.conf"), "training.batch = 9\n");
        Settings settings = read("include \"sub/base\"\n" + VALID);
        assertEquals(77, settings.model().hidden());
        assertEquals(9, settings.training().batch());

        Files.writeString(folder.resolve("sub/more.conf"), "\ntraining.batsh = 9\n");
        String message = messageOf("include \"sub/base\"\n" + VALID);
        assertTrue(message.contains("more.conf:2: unknown key training.batsh"), message);
    }

    static Stream<Arguments> bytesThatAreNotText() {
        Stream<Charset> wideCharsets =
                Stream.of("UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32").map(Charset::forName);
        return Stream.concat(
                wideCharsets.map(charset -> Arguments.of(VALID.getBytes(charset), "is UTF-16, or binary")),
                Stream.of(
                        Arguments.of((VALID + "# Café").getBytes(StandardCharsets.ISO_8859_1), "is not UTF-8"),
                        Arguments.of(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1, 0}, "UTF-8"),
                        Arguments.of(new byte[2 << 20], "is it another file, such as the corpus?")));
    }

    @ParameterizedTest
    @MethodSource("bytesThatAreNotText")
    void aFileThatIsNotTextIsRefused(byte[] content, String expected) throws IOException {
        Files.write(folder.resolve("run.conf"), content);

        String message = messageOf(List.of());

        assertTrue(message.contains("run.conf") && message.contains(expected), message);
    }

    @Test
    void aByteOrderMarkIsIgnored() throws IOException {
        assertEquals("text", read("\uFEFF" + VALID).corpus().path());
    }

    @Test
    void aPathThatIsNotAFileIsRefused() {
        for (Path path : List.of(folder, folder.resolve("none.conf"), Path.of("/dev/null"))) {
            String message = assertThrows(ConfigurationException.class, () -> SettingsReader.read(path, List.of()))
                    .getMessage();
            assertTrue(message.startsWith(path.toString()), message);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "run.directory",
                "corpus.path",
                "corpus.prepared",
                "corpus.images",
                "model.image.network",
                "training.start-from"
            })
    void tildeIsTheHomeFolder(String key) throws IOException {
        String images = "model.image.features = 4\nmodel.image.layer = a\nmodel.image.network = x\n";
        String expected = System.getenv("HOME") + "/x y";

        String inFile = read(VALID + images + key + " = \"~/x y\"\n").text();
        String inOverride = SettingsReader.read(folder.resolve("run.conf"), List.of(key + "=~/x y"))
                .text();

        assertEquals(expected, ConfigFactory.parseString(inFile).getString(key));
        assertEquals(inFile, inOverride);
        assertTrue(messageOf(VALID + images + key + " = ~other/x").contains(key + " is ~other/x: only ~/"));
        assertEquals("./~x", UserPath.expanded("./~x"));
    }

    @ParameterizedTest
    @CsvSource({
        "12:00.log, ./12:00.log",
        "a: b/12:00, ./a: b/12:00",
        "a:, ./a:",
        "in/12:00, in/12:00",
        "./12:00, ./12:00",
        "hdfs://host/x, hdfs://host/x",
        "file:/x, file:/x"
    })
    void aFileNameWithAColonIsNotAUri(String path, String expected) {
        assertEquals(expected, UserPath.expanded(path));
    }

    @Test
    void pathsInStoredSettingsAreNotExpanded() {
        Settings stored =
                SettingsReader.parse("run.directory = \"~other/x\", corpus.path = t, corpus.documents = stream", "");

        assertEquals("~other/x", stored.run().directory());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "run.directory=\"x y\" | x y",
                "run.directory='x y'   | x y",
                "run.directory=x=y     | x=y",
                " run.directory =x     | x",
            })
    void anOverrideMayBeQuoted(String override, String expected) throws IOException {
        read(VALID);

        assertEquals(
                expected,
                SettingsReader.read(folder.resolve("run.conf"), List.of(override))
                        .run()
                        .directory());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "run.directory=\"x        | the command line: the value of run.directory is \"x, with a quotation mark at one end",
                "run.directory=x'         | the command line: the value of run.directory is x', with a quotation mark at one end",
                "run.directory=\"         | with a quotation mark at one end",
                "run.directory=           | run.directory is not set",
                "\"run.directory\"=x      | unknown key \"run.directory\"; did you mean run.directory?",
                "run..directory=x         | unknown key run..directory; did you mean run.directory?",
                "run.directory.=x         | did you mean run.directory?",
                "${run.directory}=x       | unknown key ${run.directory}",
                "training={ epochs = 3 }  | training is a group of keys",
                "training.epochs=[3]      | training.epochs is [3]; it must be a number",
                "training.epochs=         | training.epochs is empty; it must be a number",
                "cluster.averaging.every=99999999999 | it must be epoch, or a number of chunks from 1 to 999999999",
                "corpus.documents=lines   | corpus.documents is lines; it must be one of stream, reset",
                "=x                       | is not of the form key=value",
            })
    void anInvalidOverrideIsRefused(String override, String expected) throws IOException {
        read(VALID);

        String message = messageOf(List.of(override));

        assertTrue(message.contains(expected), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"007", "1.50", "1e400", "1e-3", "12345678901234567890123"})
    void aNameThatLooksLikeANumberIsStoredAsItIsWritten(String name) throws IOException {
        Settings settings = read(VALID + "corpus { columns.label = " + name + ", options.nullValue = " + name + " }");
        Settings stored = SettingsReader.parse(settings.text(), "stored");

        assertEquals(name, stored.corpus().columns().get("label"));
        assertEquals(Map.of("nullValue", name), stored.corpus().options());
        assertEquals(settings, stored);
    }

    private Settings read(String text) throws IOException {
        return SettingsReader.read(Files.writeString(folder.resolve("run.conf"), text), List.of());
    }

    private String messageOf(String text) throws IOException {
        Files.writeString(folder.resolve("run.conf"), text);
        return messageOf(List.of());
    }

    private String messageOf(List<String> overrides) {
        return assertThrows(
                        ConfigurationException.class, () -> SettingsReader.read(folder.resolve("run.conf"), overrides))
                .getMessage();
    }
}
