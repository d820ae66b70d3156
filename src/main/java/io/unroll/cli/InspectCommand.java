package io.unroll.cli;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.inference.Inspection;
import io.unroll.inference.ReportPage;
import io.unroll.model.GradientFlow;
import io.unroll.spark.Session;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "inspect",
        description = "Analyses a language model while it reads a text: how far back gradients flow, saturation of "
                + "gates, cells that correlate with a feature of the text (such as the position in the line), and the "
                + "surprisal of each token.",
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
    /** The lags, in steps, that are printed; {@code --json} has all. */
    private static final Set<Integer> SHOWN_LAGS = Set.of(1, 2, 5, 9, 19, 46, 90, 200);

    private static final int MAX_TOKENS = 1_000_000;

    @Parameters(paramLabel = "MODEL", converter = PathConverter.class, description = "The model's folder.")
    private String model;

    @Parameters(
            index = "1",
            paramLabel = "TEXT",
            converter = PathConverter.class,
            description = "A file, folder or glob.")
    private String text;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            converter = PathConverter.Local.class,
            description = "Write a report to this HTML file.")
    private Path out;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Number of tokens to read from TEXT (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(names = "--json", description = "Print the result as a JSON object, on the last line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        ConfigurationException.check(
                tokens >= 3 && tokens <= MAX_TOKENS, "--tokens", tokens, "from 3 to " + MAX_TOKENS);
        if (out != null && Files.isRegularFile(out) && !ReportPage.isReport(out)) {
            throw new ConfigurationException("--out is " + out
                    + ", which exists and is not an Unroll report, so it is not overwritten: move it, or give another "
                    + "file.");
        }
        OutputFile report = out == null ? null : new OutputFile("--out", out);
        Configuration hadoop = Session.submittedHadoopConfiguration();
        PathChecks.check("MODEL", model, hadoop);
        PathChecks.check("TEXT", text, hadoop);
        TrainedModel trained = new ModelFolder(model, hadoop).read();
        Inspection inspection = Inspection.of(trained, model, text, tokens, hadoop);
        if (report != null) {
            report.write(ReportPage.of(inspection));
        }
        Long unknown = unknownWords(trained, inspection);
        if (json) {
            System.out.println(JsonLine.of(result(inspection, unknown)));
        } else {
            print(inspection, unknown);
        }
        return 0;
    }

    /** @return the number of words that the model reads as {@code <unk>}; null if its tokens are not words */
    private static Long unknownWords(TrainedModel trained, Inspection inspection) {
        return trained.vocabularies().tokens().kind() != Settings.TokenizerName.WORD
                ? null
                : inspection.text().stream()
                        .filter(word -> word.strip().equals(Vocabulary.UNKNOWN))
                        .count();
    }

    private Map<String, Object> result(Inspection inspection, Long unknown) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("tokens", inspection.text().size());
        if (unknown != null) {
            result.put("unknown_tokens", unknown);
        }
        result.put("bits_per_token", inspection.bitsPerToken());
        result.put("surprise", Arrays.copyOfRange(inspection.surprisal(), 1, inspection.surprisal().length));
        result.put("clipped_share", inspection.clippedShare());
        result.put(
                "gradient_flow",
                Map.of("untrained", flow(inspection.untrained()), "trained", flow(inspection.trained())));
        List<Object> layers = new ArrayList<>();
        for (Inspection.LayerView layer : inspection.layers()) {
            Map<String, Object> view = new LinkedHashMap<>();
            view.put("saturation", layer.saturation());
            view.put("following", layer.featureCells());
            layers.add(view);
        }
        result.put("layers", layers);
        result.put("report", out == null ? null : out.toString());
        return result;
    }

    private static Map<String, Object> flow(Inspection.Flow flow) {
        return Map.of("norms", flow.norms(), "largest_singular_values", flow.singularValues());
    }

    private void print(Inspection inspection, Long unknown) {
        System.out.printf(
                Locale.ROOT,
                "%,d tokens, %.3f bits per token%n",
                inspection.text().size(),
                inspection.bitsPerToken());
        if (unknown != null) {
            System.out.printf(Locale.ROOT, "%,d of them are unknown words (<unk>)%n", unknown);
        }
        if (inspection.clippedShare() != null) {
            System.out.printf(
                    Locale.ROOT,
                    "gradients clipped in %.1f %% of the training steps%n",
                    100 * inspection.clippedShare());
        }
        printFlow("trained", inspection.trained());
        printFlow("untrained", inspection.untrained());
        System.out.println("cells that correlate with a feature of the text, with Pearson's correlation");
        for (int layer = 0; layer < inspection.layers().size(); layer++) {
            for (Inspection.FeatureCell cell : inspection.layers().get(layer).featureCells()) {
                System.out.printf(
                        Locale.ROOT,
                        "  layer %d  %-16s  cell %4d  %5.2f%n",
                        layer + 1,
                        cell.signal(),
                        cell.cell(),
                        cell.correlation());
            }
        }
        if (out != null) {
            System.out.println("report: " + out);
        }
    }

    private static void printFlow(String title, Inspection.Flow flow) {
        List<GradientFlow> flows = flow.norms();
        List<Integer> lags = flows.get(0).norms().keySet().stream()
                .filter(lag -> SHOWN_LAGS.contains(lag))
                .toList();
        System.out.println(title + ": gradient norm of a loss with respect to the state, by the number of steps back");
        System.out.printf("  %-14s%s%n", "", row(lags, lag -> String.format(Locale.ROOT, "%10d", lag)));
        for (GradientFlow layerFlow : flows) {
            System.out.printf(
                    "  layer %d %-6s%s%n",
                    layerFlow.layer() + 1,
                    layerFlow.state(),
                    row(
                            lags,
                            lag -> String.format(
                                    Locale.ROOT, "%10.1e", layerFlow.norms().get(lag))));
        }
        for (int layer = 0; layer < flow.singularValues().size(); layer++) {
            String values = flow.singularValues().get(layer).entrySet().stream()
                    .map(block -> String.format(Locale.ROOT, "%s %.2f", block.getKey(), block.getValue()))
                    .collect(Collectors.joining(", "));
            System.out.printf("  layer %d largest singular values of the recurrent weights: %s%n", layer + 1, values);
        }
    }

    private static String row(List<Integer> lags, Function<Integer, String> format) {
        return lags.stream().map(format).collect(Collectors.joining());
    }
}
