package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.Versions;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.model.GateTrace;
import io.unroll.model.Network;
import io.unroll.task.Prompt;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import io.unroll.train.FloatArray;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.text.StringEscapeUtils;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportPageTest {
    private static final String TEXT =
            "a \"text\" with (brackets),\n  an indented line\nand </script><b>&amp; é😀\n".repeat(5);
    private static final String METRICS =
            """
            {"round":1,"tokens":100,"training_loss":2.5,"validation_loss":null,"clipped_share":0.5}
            {"round":2,"tokens":400,"training_loss":2.0,"validation_loss":2.25,"clipped_share":0.25}
            """;

    private static final int ALL = TEXT.getBytes(StandardCharsets.UTF_8).length;

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text.txt"), TEXT);
        Files.createDirectories(folder.resolve("run/model"));
        Files.writeString(folder.resolve("run/metrics.jsonl"), METRICS);
    }

    private Inspection inspection(String more) throws IOException {
        return inspection(more, ALL);
    }

    private Inspection inspection(String more, int most) throws IOException {
        return inspection(model(more, 1), most);
    }

    /** @param most tokens of the text */
    private Inspection inspection(Model model, int most) throws IOException {
        return Inspection.of(
                model,
                folder.resolve("run/model").toString(),
                folder.resolve("text.txt").toString(),
                most,
                new Configuration());
    }

    /** @param scale of the weights, beside those that training begins with */
    private static Model model(String more, float scale) {
        Settings settings = SettingsReader.parse(
                "run.directory = r, corpus.path = p, model { hidden = 6, dropout = 0.5 }\n" + more, "test");
        Map<String, Long> counts = new TreeMap<>();
        TEXT.codePoints().forEach(symbol -> counts.merge(Character.toString(symbol), 1L, Long::sum));
        Vocabulary tokens = Tokenizer.of(settings.corpus()).vocabulary(counts);
        Vocabularies vocabularies = new Vocabularies(
                Task.of(settings).vocabularies().stream().collect(Collectors.toMap(name -> name, name -> tokens)));
        float[] parameters;
        try (Network network = new Network(
                Task.of(settings).network(vocabularies), settings.run().seed())) {
            parameters = network.parameters();
        }
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] *= scale;
        }
        Manifest manifest = new Manifest(
                Versions.all(),
                1,
                "",
                tokens.size(),
                parameters.length,
                1,
                1,
                1,
                1,
                null,
                vocabularies.checksum(),
                FloatArray.checksum(parameters));
        return new Model(manifest, settings, vocabularies, parameters, new float[0]);
    }

    @Test
    void itSaysWhatTheModelDoesWithTheText() throws IOException {
        Inspection inspection = inspection("");
        assertEquals(TEXT, String.join("", inspection.text()));
        assertEquals(0.3125, inspection.clippedShare());
        assertEquals(2, inspection.layers().size());
        Map<String, Inspection.Saturation> saturation =
                inspection.layers().get(0).saturation();
        assertEquals(List.of("input", "forget", "output"), List.copyOf(saturation.keySet()));
        // Weights that have learnt nothing find all of the 26 symbols about equally likely.
        assertEquals(Math.log(inspection.model().vocabulary()) / Math.log(2), inspection.bitsPerToken(), 0.5);
    }

    @Test
    void gatesAndSamplesAreOfTheTrainedWeights() throws IOException {
        Model model = model("", 8);
        Inspection inspection = inspection(model, ALL);

        Inspection.LayerView layer = inspection.layers().get(1);
        float[][] forget = layer.activations().gates().get("forget");
        double[] open = new double[forget[0].length];
        for (float[] step : forget) {
            for (int cell = 0; cell < open.length; cell++) {
                open[cell] += step[cell] > 0.9 ? 1 : 0;
            }
        }
        assertTrue(DoubleStream.of(open).anyMatch(steps -> steps > 0 && steps < forget.length), "none tells apart");
        double[] shares =
                DoubleStream.of(open).map(steps -> steps / forget.length).toArray();
        assertArrayEquals(shares, layer.saturation().get("forget").right(), 1e-9);

        ByteArrayOutputStream sample = new ByteArrayOutputStream();
        model.answer(new Prompt("", 400, new Sampler(0.5, 0, 1, 1)::draw), sample);
        assertEquals(
                sample.toString(StandardCharsets.UTF_8), inspection.samples().get(0.5));
    }

    @Test
    void untrainedIsWithTheWeightsThatTrainingBeginsWith() throws IOException {
        Inspection inspection = inspection("");
        assertEquals(inspection.trained(), inspection.untrained());
    }

    @Test
    void ofACharactersBytesTheLastOneStandsForIt() throws IOException {
        List<String> text = inspection("corpus.tokenizer = byte").text();
        assertEquals(TEXT, String.join("", text));
        int emoji = text.indexOf("😀");
        assertEquals(List.of("", "é", "", "", "", "😀"), text.subList(emoji - 5, emoji + 1));
    }

    @Test
    void whatFollowsTheTokensThatAreReadIsNotLookedAt() throws IOException {
        Files.writeString(folder.resolve("text.txt"), TEXT + "€");
        assertThrows(UnrollException.class, () -> inspection("", 1000));
        assertEquals(20, inspection("", 20).text().size());
    }

    @Test
    void gatesAreSaturatedWhereTheyAreNearlyShutOrOpen() {
        float[][] gate = {{0.05f, 0.95f, 0.5f}, {0.2f, 0.91f, 0.5f}};
        Inspection.Saturation saturation = Inspection.Saturation.of(gate);
        assertEquals(List.of(0.5, 0.0, 0.0), list(saturation.left()));
        assertEquals(List.of(0.0, 1.0, 0.0), list(saturation.right()));
    }

    private static List<Double> list(double[] values) {
        return DoubleStream.of(values).boxed().toList();
    }

    @Test
    void aModelOfRowsIsRefusedInOneSentence() {
        assertThrows(ConfigurationException.class, () -> inspection("task = classification"));
    }

    @Test
    void thePageNeedsNothingElse() throws IOException {
        String page = ReportPage.of(inspection(""));
        Matcher address = Pattern.compile("https?://[^\"' ]+").matcher(page);
        while (address.find()) {
            assertEquals(
                    "http://www.w3.org/2000/svg", address.group(), "the name of SVG's elements, which is not read");
        }
        assertFalse(Pattern.compile("\\s(src|href)=").matcher(page).find(), "it loads something");
        assertFalse(page.contains("</script><b>"), "a text ends the script");
    }

    /** What a browser shows, after a reader has used every control: a field for each question. */
    private static final String QUESTIONS =
            """
            <script>
            const colors = () => [...document.querySelectorAll('#colored span')].map(s => s.style.background).join('|');
            let shown = colors(), changes = 0;
            const look = () => {
              changes += colors() === shown ? 0 : 1;
              shown = colors();
            };
            for (const [id, most] of [['cell', 6], ['layer', document.getElementById('layer').options.length],
                ['kind', document.getElementById('kind').options.length]]) {
              const control = document.getElementById(id);
              control.value = (+control.value + 1) % most;
              control.dispatchEvent(new Event('input'));
              look();
            }
            const value = id => +document.getElementById(id).value;
            const spans = [...document.querySelectorAll('#colored span')];
            spans[3].click();
            const picked = { cell: value('cell'), layer: value('layer'), kind: value('kind'),
              titles: spans.map(s => +s.title), told: document.querySelector('#colored + p').textContent };
            document.querySelector('.picker button')?.click();
            look();
            const after = document.querySelector('#colored + p').textContent.trim();
            document.title = JSON.stringify({ errors, changes, picked, after, charts: document.querySelectorAll('svg').length,
              facts: document.getElementById('facts').textContent,
              surprise: document.querySelector('#surprise p').textContent,
              lonely: document.querySelectorAll('#losses circle').length, text: document.getElementById('colored').textContent,
              breaks: document.querySelectorAll('#colored .break').length,
              bad: [...document.querySelectorAll('svg, table, p')].some(e => /NaN|Infinity|undefined/.test(e.outerHTML)) });
            </script>
            """;

    /** Where Chromium is installed (Debian's package chromium). */
    @ParameterizedTest
    @ValueSource(strings = {"model.cell = lstm", "model.cell = gru", "model { cell = rnn, activation = relu }"})
    void aBrowserShowsItWithoutErrorsAndThePickerRecolours(String cell) throws Exception {
        assumeTrue(chromium() != null, "no Chromium on the PATH");
        Inspection inspection = inspection(cell);

        JsonNode seen = browser(ReportPage.of(inspection));

        int charts = cell.contains("lstm") ? 5 : cell.contains("gru") ? 4 : 2;
        int changes = cell.contains("rnn") ? 3 : 4; // of a vanilla layer there is only one kind to choose
        assertEquals(charts, seen.get("charts").asInt());
        assertEquals(changes, seen.get("changes").asInt());
        assertEquals(1, seen.get("lonely").asInt(), "the only validation loss is a point");
        assertEquals(TEXT, seen.get("text").asText());
        assertEquals(15, seen.get("breaks").asInt());
        assertEquals("", seen.get("after").asText(), "what was touched is of another cell");
        JsonNode picked = seen.get("picked");
        GateTrace.Layer layer =
                inspection.layers().get(picked.get("layer").asInt()).activations();
        float[][] values = Stream.concat(layer.values().values().stream(), layer.gates().values().stream())
                .toList()
                .get(picked.get("kind").asInt());
        for (int token = 0; token < values.length; token++) {
            // A byte each, and two digits.
            assertEquals(
                    values[token][picked.get("cell").asInt()],
                    picked.at("/titles/" + token).asDouble(),
                    0.015,
                    "token " + token);
        }
        assertEquals(
                "\"t\": "
                        + String.format(
                                Locale.ROOT, "%.2f", picked.at("/titles/3").asDouble()),
                picked.get("told").asText());
    }

    @Test
    void aLongRunsCurvesAreThinnedButNotCut() {
        List<Map<String, Object>> metrics = IntStream.rangeClosed(1, 2501)
                .<Map<String, Object>>mapToObj(round -> {
                    Map<String, Object> one = new TreeMap<>();
                    one.put("tokens", round);
                    one.put("training_loss", 1);
                    one.put("validation_loss", round == 5 ? 1 : null);
                    one.put("gradient_norm", 1);
                    return one;
                })
                .toList();

        List<Map<String, Object>> rounds = ReportPage.rounds(metrics);

        assertEquals(
                List.of(1, 4, 5, 7),
                rounds.stream().limit(4).map(round -> round.get("tokens")).toList());
        assertEquals(2501, rounds.get(rounds.size() - 1).get("tokens"));
        assertFalse(rounds.get(0).containsKey("gradient_norm"));
        assertTrue(rounds.size() < 1000, rounds.size() + " rounds");
    }

    @Test
    void aLongTextIsCutAndTheFiguresAreOfAllThatIsRead() throws Exception {
        assumeTrue(chromium() != null, "no Chromium on the PATH");
        Files.delete(folder.resolve("run/metrics.jsonl"));
        Inspection inspection = inspection("model.layers = 1");
        long perToken = 6L * (3 + 3); // hidden, cell and candidate; input, forget and output gate

        JsonNode seen = browser(ReportPage.of(inspection, 10 * perToken));

        assertEquals(TEXT.substring(0, 10), seen.get("text").asText());
        assertTrue(seen.get("facts").asText().contains("1 layer of"), seen.toString());
        assertTrue(seen.get("facts").asText().contains("of which the first 10 are shown"), seen.toString());
        String bits = String.format(Locale.ROOT, "%.2f bits", inspection.bitsPerToken());
        assertTrue(seen.get("surprise").asText().contains(bits), seen.toString());
        assertEquals(4, seen.get("charts").asInt(), "all but the losses");
    }

    /** @return what a browser finds, without errors */
    private JsonNode browser(String page) throws Exception {
        String listening =
                """
                <script>
                const errors = [];
                window.addEventListener('error', event => errors.push(event.message ?? 'not loaded'), true);
                console.error = console.warn = (...what) => errors.push(what.join(' '));
                </script>
                <title>""";
        Files.writeString(folder.resolve("driven.html"), page.replace("<title>", listening) + QUESTIONS);
        String after = page(folder.resolve("driven.html"));
        Matcher title = Pattern.compile("<title>(\\{.*?})</title>").matcher(after);
        assertTrue(title.find(), after.substring(0, Math.min(2000, after.length())));
        JsonNode seen = new ObjectMapper().readTree(StringEscapeUtils.unescapeHtml4(title.group(1)));
        assertEquals(0, seen.get("errors").size(), seen.toString());
        assertFalse(seen.get("bad").asBoolean(), seen.toString());
        return seen;
    }

    private static String chromium() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(place -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(place, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
    }

    /** @return the document after its scripts have run */
    private String page(Path file) throws Exception {
        Path out = folder.resolve("page.txt");
        Process process = new ProcessBuilder(
                        chromium(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--user-data-dir=" + folder.resolve("browser"),
                        "--virtual-time-budget=5000",
                        "--dump-dom",
                        file.toUri().toString())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "Chromium does not end");
        return Files.readString(out);
    }
}
