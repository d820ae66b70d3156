package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs commands with a local Spark in the process of the test; {@link LaunchIT} starts processes. */
class CommandLineIT {
    private static final double CLIP_NORM = 1;

    @TempDir
    private static Path folder;

    private static Path conf;
    private static Output trained;
    private static double trainedSeconds;

    @BeforeAll
    static void train() throws Exception {
        conf = writeRun(folder);
        long start = System.nanoTime();
        trained = InProcess.unroll("train", conf.toString(), "--json");
        trainedSeconds = (System.nanoTime() - start) / 1e9;
        assertEquals(0, trained.status(), trained.err());
    }

    /** Writes a corpus and the configuration of a run, and returns the path of the configuration. */
    static Path writeRun(Path folder) throws IOException {
        Files.createDirectories(folder.resolve("text"));
        SplittableRandom random = new SplittableRandom(3);
        for (int file = 0; file < 3; file++) {
            StringBuilder text = new StringBuilder();
            for (int line = 0; line < 150; line++) {
                text.append(random.nextBoolean() ? "the cat sat on the mat" : "ein Mann saß im Café")
                        .append(file == 1 ? "\r\n" : "\n");
            }
            Files.writeString(folder.resolve("text/" + file + ".txt"), text);
        }
        return Files.writeString(
                folder.resolve("run.conf"),
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/text", validation = 0.1, test = 0.1 }
                model { hidden = 24, dropout = 0.1 }
                training { epochs = 3, batch = 4, tbptt = 16, learning-rate = 0.01, clip-norm = %2$s }
                cluster { replicas = 3, averaging.every = 11 }
                """
                        .formatted(folder, CLIP_NORM));
    }

    @Test
    void everyRoundWritesItsMetrics() throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode manifest =
                json.readTree(folder.resolve("run/model/manifest.json").toFile());
        List<String> lines = Files.readAllLines(folder.resolve("run/metrics.jsonl"));
        long weightBytes = 3 * 4 * manifest.get("parameters").asLong();
        long tokens = 0;
        double phaseSeconds = 0;
        double clipped = 0;
        for (int i = 0; i < lines.size(); i++) {
            JsonNode round = json.readTree(lines.get(i));
            assertEquals(i + 1, round.get("round").asInt());
            assertEquals(lines.size(), round.get("rounds").asInt());
            assertEquals(1 + 3 * i / lines.size(), round.get("epoch").asInt());
            long roundTokens = round.get("tokens").asLong() - tokens;
            assertTrue(roundTokens > 0, lines.get(i));
            tokens += roundTokens;
            assertTrue(round.get("training_loss").asDouble() < 4, lines.get(i));
            boolean endsEpoch = 3 * (i + 1) % lines.size() == 0;
            assertEquals(endsEpoch, round.get("validation_loss").isNumber(), lines.get(i));
            assertEquals(0.01, round.get("learning_rate").asDouble());
            assertTrue(round.get("gradient_norm").asDouble() > 0, lines.get(i));
            assertClipped(round);
            clipped += round.get("clipped_share").asDouble();
            double roundSeconds = roundTokens / round.get("tokens_per_second").asDouble();
            JsonNode seconds = round.get("seconds");
            assertTrue(seconds.get("train").asDouble() > 0, lines.get(i));
            // The clocks of the executors have a resolution of milliseconds.
            assertTrue(seconds.get("train").asDouble() < roundSeconds + 0.01, lines.get(i));
            for (String phase : List.of("broadcast", "average", "checkpoint")) {
                assertTrue(seconds.has(phase), lines.get(i));
            }
            for (JsonNode phase : seconds) {
                phaseSeconds += phase.asDouble();
            }
            assertEquals(i + 1 < lines.size(), round.get("seconds_left").asDouble() > 0, lines.get(i));
            assertEquals(endsEpoch, round.get("seconds").has("validate"), lines.get(i));
            assertEquals(endsEpoch, round.get("gradient_flow").has("16"), lines.get(i));
            assertEquals(weightBytes, round.get("bytes").get("broadcast").asLong());
            assertEquals(3 * weightBytes, round.get("bytes").get("collect").asLong());
            assertEquals(0, round.get("bytes").get("shuffle").asLong());
        }
        assertEquals(manifest.get("tokens").asLong(), tokens);
        assertTrue(clipped > 0 && clipped < lines.size(), "the clipped shares of the rounds sum to " + clipped);
        assertTrue(phaseSeconds < trainedSeconds, phaseSeconds + " of " + trainedSeconds + " s");
    }

    /** If no step is clipped, the mean gradient norm is at most the limit; if all are, it is at least the limit. */
    private static void assertClipped(JsonNode round) {
        double share = round.get("clipped_share").asDouble();
        double norm = round.get("gradient_norm").asDouble();
        assertTrue(share > 0 || norm <= CLIP_NORM, round.toString());
        assertTrue(share < 1 || norm >= CLIP_NORM, round.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "model.cell=gru model.reset-after=true model.precision=bfloat16",
        "model.cell=rnn model.activation=relu cluster.threads=2",
        "model.peepholes=true model.tied=true",
        "model.recurrence=steps",
    })
    void everyCellTrainsAndGenerates(String model) throws Exception {
        Path run = folder.resolve("run-" + model.replaceAll("\\W", "-"));
        List<String> arguments = new ArrayList<>(List.of("train", conf.toString()));
        arguments.addAll(List.of(model.split(" ")));
        arguments.addAll(List.of("training.epochs=1", "run.directory=" + run, "--json"));

        Output training = InProcess.unroll(arguments.toArray(String[]::new));
        assertEquals(0, training.status(), training.err());
        assertTrue(
                training.err().matches("(?s).*a replica takes about \\d+ MiB outside the Java heap.*"), training.err());

        double validationLoss = training.json().get("validation_loss").asDouble();
        assertTrue(validationLoss < 2.6, "a uniform distribution over 17 symbols has 2.8 nats: " + training.out());
        assertEquals(validationLoss, crossEntropy(run.toString(), "--part", "validation"), 1e-6);
        JsonNode generated = InProcess.unroll("generate", run.toString(), "--length", "300", "--json")
                .json();
        assertEquals(training.json().get("sample"), generated.get("text"));
    }

    @Test
    void benchReportsSpeedAndShareOfThePeak() throws Exception {
        Output bench = InProcess.unroll("bench", "--cells", "rnn,gru", "--hidden", "16", "--rounds", "1", "--json");

        assertEquals(0, bench.status(), bench.err());
        JsonNode results = bench.json();
        assertTrue(results.size() >= 2, bench.out());
        JsonNode gru = results.get(results.size() - 1);
        assertEquals("unroll", gru.get("peer").asText());
        assertEquals("gru", gru.get("cell").asText());
        assertEquals(16, gru.get("hidden").asInt());
        assertEquals(1, gru.get("threads").asInt());
        double flops = 6
                * (2 * 3 * (2 * 16 * 16 + 16) + 17 * 96)
                * gru.get("tokens_per_second").asDouble();
        assertEquals(flops / 1e9, gru.get("gflops").asDouble(), 1e-6 * flops / 1e9);
        for (String share : List.of("peak_share", "kernel_share")) {
            assertTrue(gru.get(share).asDouble() > 0, bench.out());
        }
        assertEquals(2, InProcess.unroll("bench", "--hidden", "0").status());
        assertEquals(2, InProcess.unroll("bench", "--cells", "lsmt").status());
    }

    @Test
    void aCompleteRunIsNotOverwrittenAndTokenFilesAreFoundByContent() throws Exception {
        byte[] model = Files.readAllBytes(folder.resolve("run/model/network.zip"));
        Output again = InProcess.unroll("train", conf.toString(), "--json");
        assertEquals(0, again.status(), again.err());
        assertTrue(again.err().contains("this run is complete"), again.err());
        assertEquals(trained.json(), again.json());
        Output otherEpochs = InProcess.unroll("train", conf.toString(), "training.epochs=2");
        assertEquals(2, otherEpochs.status());
        assertTrue(otherEpochs.err().contains("training.epochs is 2, and was 3"), otherEpochs.err());
        assertTrue(otherEpochs.err().contains("run.overwrite=true"), otherEpochs.err());
        Output otherText = InProcess.unroll("train", conf.toString(), "corpus.path=" + folder.resolve("text/0.txt"));
        assertEquals(2, otherText.status());
        assertTrue(otherText.err().contains("the content of the corpus has changed"), otherText.err());
        assertArrayEquals(model, Files.readAllBytes(folder.resolve("run/model/network.zip")));

        Path moved = folder.resolve("moved");
        Files.createDirectories(moved);
        try (Stream<Path> files = Files.list(folder.resolve("text"))) {
            for (Path file : files.toList()) {
                Files.copy(file, moved.resolve("x" + file.getFileName()));
            }
        }
        Output found = InProcess.unroll(
                "train",
                conf.toString(),
                "training.epochs=1",
                "corpus.path=" + moved,
                "run.directory=" + folder.resolve("found"),
                "corpus.prepared=" + folder.resolve("run/prepared"));
        assertEquals(0, found.status(), found.err());
        assertTrue(found.err().contains(", found in "), found.err());

        Output overwritten = InProcess.unroll(
                "train",
                conf.toString(),
                "training.epochs=2",
                "run.overwrite=true",
                "corpus.path=" + moved,
                "run.directory=" + folder.resolve("found"));
        assertEquals(0, overwritten.status(), overwritten.err());
        assertFalse(overwritten.err().contains("resuming after round"), overwritten.err());
    }

    @Test
    void aDamagedModelIsWrittenAgainFromTheLastCheckpoint() throws Exception {
        Path run = folder.resolve("half");
        String[] command = {"train", conf.toString(), "training.epochs=1", "run.directory=" + run};
        assertEquals(0, InProcess.unroll(command).status());
        byte[] network = Files.readAllBytes(run.resolve("model/network.zip"));
        Files.write(run.resolve("model/network.zip"), Arrays.copyOf(network, network.length / 2));
        Files.deleteIfExists(run.resolve("model/.network.zip.crc"));

        Output again = InProcess.unroll(command);

        assertEquals(0, again.status(), again.err());
        assertTrue(again.err().contains("resuming after round"), again.err());
        assertArrayEquals(network, Files.readAllBytes(run.resolve("model/network.zip")));
    }

    @Test
    void evaluateCountsEveryTokenOnceAndItsMetricsAreConsistent() throws Exception {
        Path text = folder.resolve("text/0.txt");
        int characters = Files.readString(text).length();

        JsonNode result = InProcess.unroll(
                        "evaluate", folder.resolve("run/model").toString(), text.toString(), "--json")
                .json();

        assertEquals(characters - 1, result.get("tokens").asInt());
        double nats = result.get("cross_entropy").asDouble();
        assertTrue(nats > 0.05 && nats < 1.2, result.toString());
        assertEquals(Math.exp(nats), result.get("perplexity").asDouble(), 1e-9);
        assertEquals(nats / Math.log(2), result.get("bits_per_token").asDouble(), 1e-9);
    }

    @Test
    void generateIsDeterministicForASeed() throws Exception {
        String model = folder.resolve("run").toString();
        String[] arguments = {"generate", model, "--prompt", "ein Mann saß", "--length", "60", "--seed", "5"};

        String generated = InProcess.unroll(arguments).out();
        arguments[arguments.length - 1] = "6";
        String otherSeed = InProcess.unroll(arguments).out();
        arguments[arguments.length - 1] = "5";

        assertEquals(generated, InProcess.unroll(arguments).out());
        assertNotEquals(generated, otherSeed);
        assertTrue(generated.startsWith("ein Mann saß"), generated);
        assertEquals(73, generated.length(), generated);
    }

    @Test
    void primeIsAHiddenAliasOfPrompt() {
        String model = folder.resolve("run").toString();
        String generated = InProcess.unroll("generate", model, "--prompt", "the", "--length", "9")
                .out();
        assertEquals(
                generated,
                InProcess.unroll("generate", model, "--prime", "the", "--length", "9")
                        .out());

        Output both = InProcess.unroll("generate", model, "--prompt", "the", "--prime", "the");
        assertEquals(2, both.status());
        assertTrue(both.err().contains("--prime is the former name of --prompt"), both.err());
        String help = InProcess.unroll("generate", "--help").out();
        assertTrue(help.contains("--prompt") && !help.contains("--prime"), help);
    }

    @Test
    void inspectMeasuresAModelAndWritesAReport() throws Exception {
        String text = folder.resolve("text/0.txt").toString();
        Path report = folder.resolve("report.html");

        Output output = InProcess.unroll(
                "inspect",
                folder.resolve("run").toString(),
                text,
                "--out",
                report.toString(),
                "--tokens=500",
                "--json");

        assertEquals(0, output.status(), output.err());
        assertEquals(500, output.json().get("tokens").asInt());
        double bits = output.json().get("bits_per_token").asDouble();
        double nats = InProcess.unroll("evaluate", folder.resolve("run").toString(), text, "--json")
                .json()
                .get("cross_entropy")
                .asDouble();
        assertEquals(nats / Math.log(2), bits, 0.3, "evaluate reads the entire text, inspect only its start");
        JsonNode surprisals = output.json().get("surprise");
        assertEquals(499, surprisals.size(), "the first token has no surprisal");
        double sum = 0;
        for (JsonNode surprisal : surprisals) {
            sum += surprisal.asDouble();
        }
        assertEquals(bits, sum / surprisals.size(), 1e-9);
        for (String weights : List.of("trained", "untrained")) {
            JsonNode norms = output.json().get("gradient_flow").get(weights).get("norms");
            assertEquals(4, norms.size());
            assertTrue(norms.get(2).get("norms").get("1").asDouble() > 1e-3, norms.toString());
            assertTrue(norms.get(2).get("norms").get("200").asDouble() > 0, norms.toString());
            assertTrue(output.json()
                            .at("/gradient_flow/" + weights + "/largest_singular_values/1/forget")
                            .asDouble()
                    > 0);
        }
        assertEquals(24, output.json().at("/layers/1/saturation/forget/left").size());
        String page = Files.readString(report);
        assertTrue(page.contains("\"training_loss\":") && page.contains("ein Mann"), "no metrics or no sample");
    }

    @Test
    void divergenceStopsTheRunAndKeepsTheLastGoodModel() throws Exception {
        Path run = folder.resolve("diverged");
        Output output = InProcess.unroll(
                "train",
                conf.toString(),
                "run.directory=" + run,
                "training.optimizer=sgd",
                "training.learning-rate=1e38",
                "training.clip-norm=0",
                "cluster.averaging.every=1");

        assertEquals(1, output.status(), output.err());
        assertTrue(
                output.err().matches("(?s).*training diverged in round \\d+, .*at learning rate 1.0E38: .* is .*"),
                output.err());
        assertTrue(output.err().matches("(?s).*the model after round \\d+ is kept in " + run + "/last-good.*"));
        assertFalse(Files.exists(run.resolve("model")));
        assertEquals(
                0,
                InProcess.unroll("generate", run + "/last-good", "--length", "5")
                        .status());
    }

    @Test
    void listsTheCommandsIfNoneIsGiven() {
        Output output = InProcess.unroll();
        assertEquals(2, output.status());
        assertTrue(output.err().contains("the commands are prepare, train, evaluate"), output.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | train FOLDER/none.conf                                | none.conf: no such configuration file",
                "2 | train CONF training.batsh=1                           | did you mean training.batch?",
                "2 | train CONF trianing.epochs=3                          | command line: unknown key trianing.epochs; did you mean training.epochs?",
                "2 | train CONF training.batch=0                           | it must be from 1 to 1000000",
                "2 | train CONF training.batch=9999                        | the largest values that fit",
                "2 | train CONF corpus.path=FOLDER/nowhere                 | nowhere: no such file or folder",
                "2 | train CONF corpus.path=FOLDER/empty.txt               | empty.txt is empty",
                "1 | train CONF corpus.path=FOLDER/latin1.txt              | latin1.txt: byte 7 is not text (0xE9",
                "1 | train CONF corpus.path=FOLDER/binary.bin              | binary.bin: byte 3 is not text (a NUL byte",
                "1 | train CONF corpus.path=FOLDER/broken.gz               | broken.gz cannot be read as a compressed file",
                "2 | train CONF corpus.path=FOLDER/same.txt                | fewer than two different symbols",
                "2 | train CONF corpus.path=FOLDER/no-files                | no-files contains no readable file",
                "1 | generate FOLDER/newer                                 | written by a newer Unroll",
                "2 | train CONF cluster.threads=8                          | cluster.threads is 8, more than",
                "2 | train                                                 | Missing required parameter: 'CONF'",
                "2 | trian CONF                                            | did you mean train",
                "2 | train CONF --epochs 3                                 | write settings without --, such as training.epochs=3",
                "2 | generate MODEL --promt a                              | did you mean --prompt?",
                "2 | evaluate MODEL --part Tset                            | Tset; it must be validation or test",
                "2 | generate MODEL --image FOLDER/nowhere                 | --image is for captioning models only",
                "2 | train CONF corpus.columns.order=time                  | has no columns, but the task needs text and order",
                "2 | train CONF run.directory=/proc/none                   | /proc/none cannot be written",
                "2 | evaluate FOLDER/text FOLDER/text                      | is not a model folder",
                "2 | evaluate MODEL FOLDER/nowhere                         | nowhere: no such file or folder",
                "1 | evaluate MODEL FOLDER/euro.txt                        | euro.txt contains \"€\" (U+20AC)",
                "2 | evaluate MODEL FOLDER/text model.hidden=3             | model.hidden=3 cannot be given here",
                "2 | evaluate MODEL FOLDER/text corpus.malformd=skip       | did you mean corpus.malformed?",
                "2 | evaluate MODEL FOLDER/text --beam 3                   | do not use beam search",
                "2 | generate MODEL --image CONF                           | --image is for captioning models only",
                "2 | generate FOLDER/nowhere                               | nowhere: no such model folder",
                "1 | generate MODEL --prompt €                             | contains \"€\" (U+20AC)",
                "2 | generate MODEL --temperature -1                       | --temperature is -1.0; it must be 0 or more",
                "2 | generate MODEL --length many                          | --length",
                "2 | inspect MODEL FOLDER/nowhere                          | nowhere: no such file or folder",
                "2 | inspect MODEL FOLDER/one.txt                          | one.txt contains fewer than three tokens",
                "1 | inspect MODEL FOLDER/euro.txt                         | euro.txt contains \"€\" (U+20AC)",
                "2 | inspect MODEL FOLDER/text --out FOLDER/no/page.html   | in a folder that does not exist",
                "2 | inspect MODEL FOLDER/text --tokens 2                  | --tokens is 2; it must be from 3 to",
            })
    void invalidInputFailsWithOneSentence(int status, String template, String expected) throws Exception {
        Files.writeString(folder.resolve("empty.txt"), "");
        Files.writeString(folder.resolve("one.txt"), "c");
        Files.write(folder.resolve("latin1.txt"), "Ein Café".getBytes(StandardCharsets.ISO_8859_1));
        Files.write(folder.resolve("binary.bin"), new byte[] {1, 2, 3, 0, 5});
        Files.writeString(folder.resolve("euro.txt"), "cat €");
        Files.writeString(folder.resolve("broken.gz"), "this is no gzip file");
        Files.writeString(folder.resolve("same.txt"), "a".repeat(5000));
        Files.createDirectories(folder.resolve("no-files"));
        Files.writeString(
                Files.createDirectories(folder.resolve("newer")).resolve("manifest.json"),
                "{\"format\": \"unroll-model\", \"version\": 99}");
        Path run = folder.resolve("bad");
        List<String> arguments = new ArrayList<>(List.of(template.strip()
                .replace("CONF", conf.toString())
                .replace("MODEL", folder.resolve("run/model").toString())
                .replace("FOLDER", folder.toString())
                .split(" +")));
        if (template.contains("train CONF") && !template.contains("run.directory")) {
            arguments.add("run.directory=" + run);
        }

        Output output = InProcess.unroll(arguments.toArray(String[]::new));

        assertEquals(status, output.status(), output.err());
        assertTrue(output.err().contains(expected), output.err());
        assertFalse(output.err().contains("\tat "), output.err());
        assertFalse(Files.exists(run.resolve("model")));
    }

    @Test
    void anInvalidMasterFailsWithOneSentence() {
        Output output = InProcess.unrollWithMaster(
                "local[abc]", "train", conf.toString(), "run.directory=" + folder.resolve("bad"));

        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().contains("Spark does not start with master local[abc]"), output.err());
        assertFalse(output.err().contains("\tat "), output.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"local[1]", "local[3]"})
    void theModelDoesNotDependOnTheNumberOfCores(String master) throws Exception {
        Path run = folder.resolve("run-" + master);

        Output again = InProcess.unrollWithMaster(master, "train", conf.toString(), "run.directory=" + run);

        assertEquals(0, again.status(), again.err());
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("run/model/network.zip")),
                Files.readAllBytes(run.resolve("model/network.zip")));
    }

    @Test
    void trainingStopsEarlyAndKeepsTheModelWithTheBestValidationLoss() throws Exception {
        Output output = InProcess.unroll(
                "train",
                conf.toString(),
                "run.directory=" + folder.resolve("early"),
                "training.epochs=40",
                "training.early-stopping=2",
                "training.optimizer=sgd",
                "training.learning-rate=1e-30",
                "cluster.averaging.every=epoch",
                "--json");

        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("round 3/40"), output.err());
        assertFalse(output.err().contains("round 4/40"), output.err());
        assertEquals(1, output.json().get("epochs").asInt());
    }

    @Test
    void warmStartUsesTheWeightsAndVocabularyOfAModel() throws Exception {
        Path next = Files.writeString(folder.resolve("next.txt"), "the cat sat on the mat\n".repeat(150));
        String model = folder.resolve("run/model").toString();
        String run = folder.resolve("next").toString();
        String[] arguments = {
            "train",
            conf.toString(),
            "corpus.path=" + next,
            "run.directory=" + run,
            "training.start-from=" + model,
            "training.optimizer=sgd",
            "training.learning-rate=1e-30"
        };

        Output output = InProcess.unroll(arguments);
        assertEquals(0, output.status(), output.err());
        assertTrue(output.err().contains("warm start from " + model), output.err());
        assertEquals(-1, Files.mismatch(Path.of(model, "vocabulary.json"), Path.of(run, "model/vocabulary.json")));
        assertEquals(crossEntropy(model, next.toString()), crossEntropy(run, next.toString()));
        assertEquals(crossEntropy(run, next.toString()), crossEntropy(run, "--part", "test"), 0.5);

        String otherRun = "run.directory=" + folder.resolve("other");
        assertEquals(
                "unroll: training.start-from, " + model + ", has another network: "
                        + "model.hidden is 16, and was 24. Give the settings that it was trained with.",
                InProcess.unroll(with(arguments, otherRun, "model.hidden=16"))
                        .err()
                        .strip());
        assertTrue(InProcess.unroll(with(arguments, otherRun, "training.start-from=none"))
                .err()
                .contains("training.start-from: none: no such model folder."));
    }

    private static double crossEntropy(String model, String... data) throws IOException {
        String[] arguments = Stream.concat(Stream.of("evaluate", model, "--json"), Stream.of(data))
                .toArray(String[]::new);
        return InProcess.unroll(arguments).json().get("cross_entropy").asDouble();
    }

    private static String[] with(String[] arguments, String... settings) {
        return Stream.concat(Stream.of(arguments), Stream.of(settings)).toArray(String[]::new);
    }

    @Test
    void wordAndByteTokenizersTrain() throws Exception {
        for (String tokenizer : List.of("word", "byte")) {
            Path run = folder.resolve(tokenizer);
            Output output = InProcess.unroll(
                    "train",
                    conf.toString(),
                    "run.directory=" + run,
                    "corpus.tokenizer=" + tokenizer,
                    "training.tbptt=8",
                    "model.cell=rnn",
                    "training.epochs=2",
                    "cluster.averaging.every=epoch",
                    "--json");
            assertEquals(0, output.status(), output.err());
            assertTrue(output.json().get("validation_loss").asDouble() < 2.5, output.out());
        }
        JsonNode text = InProcess.unroll(
                        "generate", folder.resolve("word").toString(), "--top-k", "1", "--length", "7", "--json")
                .json();
        assertEquals(7, text.get("tokens").asInt());
        assertTrue(text.get("text").asText().matches("(?s)[\\w<>é ß\n]+"), text.toString());
    }
}
