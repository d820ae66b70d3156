package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.Versions;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportPageTest {
    private static final String TEXT =
            "a \"text\" with (brackets),\n  an indented line\nand </script><b>&amp;\n".repeat(5);
    private static final String METRICS =
            """
            {"round":1,"tokens":100,"training_loss":2.5,"validation_loss":null,"clipped_share":0.5}
            {"round":2,"tokens":200,"training_loss":2.0,"validation_loss":2.25,"clipped_share":0.25}
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text.txt"), TEXT);
        Files.createDirectories(folder.resolve("run/model"));
        Files.writeString(folder.resolve("run/metrics.jsonl"), METRICS);
    }

    private Inspection inspection(String more) throws IOException {
        Settings settings = SettingsReader.parse(
                "run.directory = r, corpus.path = p, model { hidden = 6, dropout = 0.5 }\n" + more, "test");
        Map<String, Long> counts = new TreeMap<>();
        TEXT.codePoints().forEach(symbol -> counts.merge(Character.toString(symbol), 1L, Long::sum));
        Vocabulary tokens = Tokenizer.of(settings.corpus()).vocabulary(counts);
        Vocabularies vocabularies = new Vocabularies(
                Task.of(settings).vocabularies().stream().collect(Collectors.toMap(name -> name, name -> tokens)));
        float[] parameters;
        try (Network network = new Network(Task.of(settings).network(vocabularies), 2)) {
            parameters = network.parameters();
        }
        Manifest manifest = new Manifest(Versions.all(), 1, "", tokens.size(), parameters.length, 1, 1, 1, 1, null);
        Model model = new Model(manifest, settings, vocabularies, parameters, new float[0]);
        return Inspection.of(
                model,
                folder.resolve("run/model").toString(),
                folder.resolve("text.txt").toString(),
                TEXT.length(),
                new Configuration());
    }

    @Test
    void itSaysWhatTheModelDoesWithTheText() throws IOException {
        Inspection inspection = inspection("");
        assertEquals(TEXT, String.join("", inspection.text()));
        assertEquals(0.375, inspection.clippedShare());
        assertEquals(2, inspection.layers().size());
        Map<String, Inspection.Saturation> saturation =
                inspection.layers().get(0).saturation();
        assertEquals(List.of("input", "forget", "output"), List.copyOf(saturation.keySet()));
        for (double share : saturation.get("forget").right()) {
            assertTrue(share >= 0 && share <= 1 + 1e-9);
        }
        // Weights that have learnt nothing find all of the 24 symbols about equally likely.
        assertEquals(Math.log(inspection.model().vocabulary()) / Math.log(2), inspection.bitsPerToken(), 0.5);
        assertTrue(inspection.samples().get(0.5).length() > 100);
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
        assertFalse(page.contains("</script><b>"), "a text ends the script");
    }

    /** Where Chromium is installed (Debian's package chromium). */
    @ParameterizedTest
    @ValueSource(strings = {"model.cell = lstm", "model.cell = gru", "model { cell = rnn, activation = relu }"})
    void aBrowserShowsItWithoutErrorsAndThePickerRecolours(String cell) throws Exception {
        assumeTrue(chromium() != null, "no Chromium on the PATH");
        String driven =
                """
                <script>
                const errors = [];
                window.addEventListener('error', event => errors.push(event.message));
                </script>
                %s
                <script>
                const colors = () => [...document.querySelectorAll('#colored span')].map(s => s.style.background).join('|');
                let shown = colors(), changes = 0;
                const look = () => {
                  changes += colors() === shown ? 0 : 1;
                  shown = colors();
                };
                for (const [id, most] of [['cell', 6], ['layer', 2], ['kind', document.getElementById('kind').options.length]]) {
                  const control = document.getElementById(id);
                  control.value = (+control.value + 1) %% most;
                  control.dispatchEvent(new Event('input'));
                  look();
                }
                document.querySelector('.picker button').click();
                look();
                document.title = JSON.stringify({ errors, changes, charts: document.querySelectorAll('svg').length,
                  text: document.getElementById('colored').textContent.length,
                  bad: [...document.querySelectorAll('svg, table, p')].some(e => /NaN|Infinity|undefined/.test(e.outerHTML)) });
                </script>
                """
                        .formatted(ReportPage.of(inspection(cell)));
        Files.writeString(folder.resolve("driven.html"), driven);

        String page = page(folder.resolve("driven.html"));

        Matcher title = Pattern.compile("<title>(\\{.*?})</title>").matcher(page);
        assertTrue(title.find(), page.substring(0, Math.min(2000, page.length())));
        int charts = cell.contains("lstm") ? 5 : cell.contains("gru") ? 4 : 2;
        int changes = cell.contains("rnn") ? 3 : 4; // of a vanilla layer there is only one kind to choose
        assertTrue(title.group(1).contains("\"errors\":[]"), title.group(1));
        assertTrue(title.group(1).contains("\"bad\":false"), title.group(1));
        assertTrue(title.group(1).contains("\"charts\":" + charts), title.group(1));
        assertTrue(title.group(1).contains("\"changes\":" + changes), title.group(1));
        assertTrue(title.group(1).contains("\"text\":" + TEXT.length()), title.group(1));
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
