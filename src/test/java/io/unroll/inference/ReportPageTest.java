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
import io.unroll.checkpoint.TrainedModel;
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

    private static final int TEXT_BYTES = TEXT.getBytes(StandardCharsets.UTF_8).length;

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text.txt"), TEXT);
        Files.createDirectories(folder.resolve("run/model"));
        Files.writeString(folder.resolve("run/metrics.jsonl"), METRICS);
    }

    private Inspection inspection(String extraSettings) throws IOException {
        return inspection(extraSettings, TEXT_BYTES);
    }

    private Inspection inspection(String extraSettings, int maxTokens) throws IOException {
        return inspection(model(extraSettings, 1), maxTokens);
    }

    private Inspection inspection(TrainedModel model, int maxTokens) throws IOException {
        return Inspection.of(
                model,
                folder.resolve("run/model").toString(),
                folder.resolve("text.txt").toString(),
                maxTokens,
                new Configuration());
    }

    /** @param scale factor of the initial weights */
    private static TrainedModel model(String extraSettings, float scale) {
        Settings settings = SettingsReader.parse(
                "run.directory = r, corpus.path = p, model { hidden = 6, dropout = 0.5 }\n" + extraSettings, "test");
        Map<String, Long> counts = new TreeMap<>();
        TEXT.codePoints().forEach(symbol -> counts.merge(Character.toString(symbol), 1L, Long::sum));
        Tokenizer untrained = (Tokenizer) Task.of(settings).vocabularyPrefixes().get(Vocabularies.TOKENS);
        Tokenizer tokens = untrained.train(counts, settings.corpus());
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
        Manifest manifest = new Manifest("", 1, 1, 1, 1, null);
        return new TrainedModel(manifest, settings, vocabularies, parameters, new float[0]);
    }

    @Test
    void inspectsTextClippingGatesAndSurprisal() throws IOException {
        Inspection inspection = inspection("");
        assertEquals(TEXT, String.join("", inspection.text()));
        assertEquals(0.3125, inspection.clippedShare());
        assertEquals(2, inspection.layers().size());
        Map<String, Inspection.Saturation> saturation =
                inspection.layers().get(0).saturation();
        assertEquals(List.of("input", "forget", "output"), List.copyOf(saturation.keySet()));
        // Untrained weights give all 26 symbols about the same probability.
        assertEquals(Math.log(inspection.model().vocabulary()) / Math.log(2), inspection.bitsPerToken(), 0.5);
    }

    @Test
    void gatesAndSamplesUseTheTrainedWeights() throws IOException {
        TrainedModel model = model("", 8);
        Inspection inspection = inspection(model, TEXT_BYTES);

        Inspection.LayerView layer = inspection.layers().get(1);
        float[][] forget = layer.activations().gates().get("forget");
        double[] open = new double[forget[0].length];
        for (float[] step : forget) {
            for (int cell = 0; cell < open.length; cell++) {
                open[cell] += step[cell] > 0.9 ? 1 : 0;
            }
        }
        assertTrue(
                DoubleStream.of(open).anyMatch(steps -> steps > 0 && steps < forget.length), "no forget gate changes");
        double[] shares =
                DoubleStream.of(open).map(steps -> steps / forget.length).toArray();
        assertArrayEquals(shares, layer.saturation().get("forget").right(), 1e-9);

        ByteArrayOutputStream sample = new ByteArrayOutputStream();
        model.answer(new Prompt("", 400, new Sampler(0.5, 0, 1, 1)::draw), sample);
        assertEquals(
                sample.toString(StandardCharsets.UTF_8), inspection.samples().get(0.5));
    }

    @Test
    void untrainedFlowUsesTheInitialWeights() throws IOException {
        Inspection inspection = inspection("");
        assertEquals(inspection.trained(), inspection.untrained());
    }

    @Test
    void theLastByteOfACharacterHasItsText() throws IOException {
        List<String> text = inspection("corpus.tokenizer = byte").text();
        assertEquals(TEXT, String.join("", text));
        int emoji = text.indexOf("😀");
        assertEquals(List.of("", "é", "", "", "", "😀"), text.subList(emoji - 5, emoji + 1));
    }

    @Test
    void doesNotReadBeyondTheMaximumNumberOfTokens() throws IOException {
        Files.writeString(folder.resolve("text.txt"), TEXT + "€");
        assertThrows(UnrollException.class, () -> inspection("", 1000));
        assertEquals(20, inspection("", 20).text().size());
    }

    @Test
    void saturationCountsOpenAndClosedSteps() {
        float[][] gate = {{0.05f, 0.95f, 0.5f}, {0.2f, 0.91f, 0.5f}};
        Inspection.Saturation saturation = Inspection.Saturation.of(gate);
        assertEquals(List.of(0.5, 0.0, 0.0), list(saturation.left()));
        assertEquals(List.of(0.0, 1.0, 0.0), list(saturation.right()));
    }

    private static List<Double> list(double[] values) {
        return DoubleStream.of(values).boxed().toList();
    }

    @Test
    void rejectsATaskWithoutALanguageModel() {
        String message = assertThrows(ConfigurationException.class, () -> inspection("task = classification"))
                .getMessage();
        assertTrue(message.contains("task = classification; inspect needs a language model"), message);
    }

    @Test
    void readsATextForAModelOfATable() throws IOException {
        Inspection inspection = inspection("corpus { format = csv, columns.order = time }");
        assertEquals(TEXT, String.join("", inspection.text()));
    }

    /** The first symbol has a surprisal, because the network has read the start of the document. */
    @Test
    void aDocumentStartsWithTheStartToken() throws IOException {
        Inspection inspection = inspection("corpus.documents = reset", TEXT_BYTES + 1);
        assertEquals("", inspection.text().get(0));
        assertEquals(TEXT, String.join("", inspection.text()));
        assertTrue(inspection.surprisal()[1] > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"char", "word"})
    void theLinesOfASessionAreItsRows(String tokenizer) throws IOException {
        Files.delete(folder.resolve("text.txt"));
        Files.createDirectory(folder.resolve("text.txt"));
        Files.writeString(folder.resolve("text.txt/1"), "a\r\ne <sep>\n");
        Files.writeString(folder.resolve("text.txt/2"), "\nd e\n");
        Inspection inspection = inspection(
                "corpus { tokenizer = " + tokenizer + ", columns { document = host, order = time } }, run.seed = 3");
        String read = String.join("", inspection.text());
        String expected = tokenizer.equals("char") ? "a\ne <sep>\n\nd e" : "a\ne <unk>\n\nd e";
        assertEquals(expected, read);
    }

    @Test
    void thePageIsSelfContained() throws IOException {
        String page = ReportPage.of(inspection(""));
        Matcher address = Pattern.compile("https?://[^\"' ]+").matcher(page);
        while (address.find()) {
            assertEquals(
                    "http://www.w3.org/2000/svg", address.group(), "the namespace of SVG, which browsers do not load");
        }
        assertFalse(Pattern.compile("\\s(src|href)=").matcher(page).find(), "the page loads a resource");
        assertFalse(page.contains("</script><b>"), "the text is not escaped");
    }

    /** Uses every control of the page, then writes what it shows into the title, as JSON. */
    private static final String PROBE =
            """
            <script>
            const colors = () => [...document.querySelectorAll('#colored span')].map(s => s.style.background).join('|');
            let shown = colors(), changes = 0;
            const countChange = () => {
              changes += colors() === shown ? 0 : 1;
              shown = colors();
            };
            for (const [id, count] of [['cell', 6], ['layer', document.getElementById('layer').options.length],
                ['kind', document.getElementById('kind').options.length]]) {
              const control = document.getElementById(id);
              control.value = (+control.value + 1) % count;
              control.dispatchEvent(new Event('input'));
              countChange();
            }
            const value = id => +document.getElementById(id).value;
            const spans = [...document.querySelectorAll('#colored span')];
            spans[3].click();
            const picked = { cell: value('cell'), layer: value('layer'), kind: value('kind'),
              titles: spans.map(s => +s.title), status: document.querySelector('#colored + p').textContent };
            document.querySelector('.picker button')?.click();
            countChange();
            const after = document.querySelector('#colored + p').textContent.trim();
            document.title = JSON.stringify({ errors, changes, picked, after, charts: document.querySelectorAll('svg').length,
              facts: document.getElementById('facts').textContent,
              surprisal: document.querySelector('#surprisal p').textContent,
              lossPoints: document.querySelectorAll('#losses circle').length, text: document.getElementById('colored').textContent,
              breaks: document.querySelectorAll('#colored .break').length,
              bad: [...document.querySelectorAll('svg, table, p')].some(e => /NaN|Infinity|undefined/.test(e.outerHTML)) });
            </script>
            """;

    /** Runs only if Chromium is installed (Debian: package chromium). */
    @ParameterizedTest
    @ValueSource(strings = {"model.cell = lstm", "model.cell = gru", "model { cell = rnn, activation = relu }"})
    void aBrowserShowsThePageAndTheControlsRecolourTheText(String cell) throws Exception {
        assumeTrue(chromium() != null, "no Chromium on the PATH");
        Inspection inspection = inspection(cell);

        JsonNode seen = browser(ReportPage.of(inspection));

        int charts = cell.contains("lstm") ? 5 : cell.contains("gru") ? 4 : 2;
        int changes = cell.contains("rnn") ? 3 : 4; // a vanilla layer has only one kind of values
        assertEquals(charts, seen.get("charts").asInt());
        assertEquals(changes, seen.get("changes").asInt());
        assertEquals(1, seen.get("lossPoints").asInt(), "the only validation loss is a point");
        assertEquals(TEXT, seen.get("text").asText());
        assertEquals(15, seen.get("breaks").asInt());
        assertEquals("", seen.get("after").asText(), "the status line shows a value of another cell");
        JsonNode picked = seen.get("picked");
        GateTrace.Layer layer =
                inspection.layers().get(picked.get("layer").asInt()).activations();
        float[][] values = Stream.concat(layer.values().values().stream(), layer.gates().values().stream())
                .toList()
                .get(picked.get("kind").asInt());
        for (int token = 0; token < values.length; token++) {
            // Tolerance: activations are quantized to bytes, and titles have two digits.
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
                picked.get("status").asText());
    }

    @Test
    void thinsTheLossCurvesOfALongRun() {
        List<Map<String, Object>> metrics = IntStream.rangeClosed(1, 2501)
                .<Map<String, Object>>mapToObj(round -> {
                    Map<String, Object> report = new TreeMap<>();
                    report.put("tokens", round);
                    report.put("training_loss", 1);
                    report.put("validation_loss", round == 5 ? 1 : null);
                    report.put("gradient_norm", 1);
                    return report;
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
    void truncatesALongTextButMeasuresAllOfIt() throws Exception {
        assumeTrue(chromium() != null, "no Chromium on the PATH");
        Files.delete(folder.resolve("run/metrics.jsonl"));
        Inspection inspection = inspection("model.layers = 1");
        long perToken = 6L * (3 + 3); // hidden, cell and candidate; input, forget and output gate

        JsonNode seen = browser(ReportPage.of(inspection, 10 * perToken));

        assertEquals(TEXT.substring(0, 10), seen.get("text").asText());
        assertTrue(seen.get("facts").asText().contains("1 layer of"), seen.toString());
        assertTrue(seen.get("facts").asText().contains("of which the first 10 are shown"), seen.toString());
        String bits = String.format(Locale.ROOT, "%.2f bits", inspection.bitsPerToken());
        assertTrue(seen.get("surprisal").asText().contains(bits), seen.toString());
        assertEquals(4, seen.get("charts").asInt(), "all charts except the losses");
    }

    /** @return the result of the probe in a browser; fails if the page has errors */
    private JsonNode browser(String page) throws Exception {
        String errorListener =
                """
                <script>
                const errors = [];
                window.addEventListener('error', event => errors.push(event.message ?? 'not loaded'), true);
                console.error = console.warn = (...messages) => errors.push(messages.join(' '));
                </script>
                <title>""";
        Files.writeString(folder.resolve("driven.html"), page.replace("<title>", errorListener) + PROBE);
        String dom = dumpDom(folder.resolve("driven.html"));
        Matcher title = Pattern.compile("<title>(\\{.*?})</title>").matcher(dom);
        assertTrue(title.find(), dom.substring(0, Math.min(2000, dom.length())));
        JsonNode seen = new ObjectMapper().readTree(StringEscapeUtils.unescapeHtml4(title.group(1)));
        assertEquals(0, seen.get("errors").size(), seen.toString());
        assertFalse(seen.get("bad").asBoolean(), seen.toString());
        return seen;
    }

    private static String chromium() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(directory -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
    }

    /** @return the HTML of the document after its scripts have run */
    private String dumpDom(Path file) throws Exception {
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
