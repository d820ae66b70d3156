package io.unroll.inference;

import io.unroll.checkpoint.MetricsFile;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.SettingsReader;
import io.unroll.model.GateTrace;
import io.unroll.model.GradientFlow;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileSplit;
import io.unroll.storage.SplitInput;
import io.unroll.task.LanguageModel;
import io.unroll.task.Prompt;
import io.unroll.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * Measurements of a language model that reads a text: surprisal, activations, gate saturation and gradient flow.
 *
 * @param metrics metrics of each round of the run; empty if there is no {@code metrics.jsonl} with the model
 * @param samples generated text, by temperature
 * @param untrained gradient flow with the random initial weights of the run's seed
 * @param trained gradient flow with the trained weights
 * @param text text of each token that was read
 * @param surprisal surprisal of each token given the tokens before it, in bits; 0 for the first token
 * @param layers activations of each layer at each token
 */
public record Inspection(
        Facts model,
        List<Map<String, Object>> metrics,
        Map<Double, String> samples,
        Flow untrained,
        Flow trained,
        List<String> text,
        double[] surprisal,
        List<LayerView> layers) {
    private static final int MAX_STEPS_BACK = 200;
    private static final int MAX_LANES = 32;
    private static final int SAMPLE_LENGTH = 400;
    private static final double[] TEMPERATURES = {0.5, 0.8, 1.0};
    private static final int CHUNK = 64;
    private static final int MAX_FEATURE_CELLS = 5;
    private static final List<String> UNREGULARIZED =
            List.of("model.dropout=0", "model.input-dropout=0", "model.weight-dropout=0", "model.label-smoothing=0");

    /** Name and sizes of the model. */
    public record Facts(String name, String cell, int layers, int hidden, int parameters, int vocabulary) {}

    /**
     * How far gradients flow back in time.
     *
     * @param norms norms of the gradient, for each state of each layer
     * @param singularValues for each layer the largest singular value of each block of the recurrent weights, by the
     *     name of the block
     */
    public record Flow(List<GradientFlow> norms, List<Map<String, Double>> singularValues) {}

    /**
     * The activations of a layer at each token of the text.
     *
     * @param saturation saturation of each gate, by the name of the gate
     * @param featureCells cells with the highest correlations with a {@link TextFeature}
     */
    public record LayerView(
            GateTrace.Layer activations, Map<String, Saturation> saturation, List<FeatureCell> featureCells) {}

    /**
     * How often the gates of the cells are saturated.
     *
     * @param left for each cell the share of steps in which its gate is below 0.1 (closed)
     * @param right for each cell the share of steps in which its gate is above 0.9 (open)
     */
    public record Saturation(double[] left, double[] right) {
        private static final double LEFT_BELOW = 0.1;
        private static final double RIGHT_ABOVE = 0.9;

        static Saturation of(float[][] gate) {
            int cells = gate[0].length;
            double[] left = new double[cells];
            double[] right = new double[cells];
            for (float[] step : gate) {
                for (int cell = 0; cell < cells; cell++) {
                    left[cell] += step[cell] < LEFT_BELOW ? 1.0 / gate.length : 0;
                    right[cell] += step[cell] > RIGHT_ABOVE ? 1.0 / gate.length : 0;
                }
            }
            return new Saturation(left, right);
        }
    }

    /**
     * A cell whose state correlates with a feature of the text.
     *
     * @param signal name of the feature
     */
    public record FeatureCell(String signal, int cell, double correlation) {}

    /**
     * Reads the beginning of a text with a model and takes all measurements.
     *
     * @param maxTokens maximum number of tokens to read
     * @throws ConfigurationException if the model is not a language model, or the text is too short
     */
    public static Inspection of(TrainedModel model, String name, String path, int maxTokens, Configuration hadoop)
            throws IOException {
        if (!(model.task() instanceof LanguageModel task)) {
            throw new ConfigurationException(name + " has task = "
                    + SettingNames.kebab(model.settings().task()) + "; inspect needs a language model.");
        }
        Tokenizer tokenizer = model.vocabularies().tokens();
        int[] tokens = read(task, tokenizer, path, maxTokens, hadoop);
        List<String> text = pieces(task.decoder(tokenizer), tokens);
        NetworkShape shape = model.withSettings(SettingsReader.override(model.settings(), UNREGULARIZED))
                .shape();
        try (Network network = new Network(shape, model.settings().run().seed())) {
            Flow untrained = flow(network, tokens);
            network.setParameters(model.parameters());
            return new Inspection(
                    facts(model, name),
                    MetricsFile.ofModel(name, hadoop),
                    samples(network, model),
                    untrained,
                    flow(network, tokens),
                    text,
                    surprisal(network, tokens),
                    layers(new GateTrace(shape, model.parameters()).read(tokens), text));
        }
    }

    /** @return mean surprisal of all tokens except the first */
    public double bitsPerToken() {
        return Arrays.stream(surprisal).sum() / (surprisal.length - 1);
    }

    /**
     * @return share of the steps of the run that were clipped, rounds weighted by their tokens; null without metrics
     */
    public Double clippedShare() {
        if (metrics.isEmpty()) {
            return null;
        }
        double clipped = 0;
        double previousTokens = 0;
        for (Map<String, Object> round : metrics) {
            double tokens = ((Number) round.get("tokens")).doubleValue();
            clipped += (tokens - previousTokens) * ((Number) round.get("clipped_share")).doubleValue();
            previousTokens = tokens;
        }
        return clipped / previousTokens;
    }

    private static Facts facts(TrainedModel model, String name) {
        var settings = model.settings().model();
        return new Facts(
                name,
                SettingNames.kebab(settings.cell()),
                settings.layers(),
                settings.hidden(),
                model.parameters().length,
                model.vocabularies().tokens().size());
    }

    private static int[] read(LanguageModel task, Tokenizer tokenizer, String path, int maxTokens, Configuration hadoop)
            throws IOException {
        List<Integer> tokens = new ArrayList<>();
        try {
            for (FileSplit file : CorpusFiles.parts(path, Long.MAX_VALUE, hadoop).stream()
                    .flatMap(List::stream)
                    .toList()) {
                try (SplitInput in = SplitInput.open(file, tokenizer.boundary(), hadoop)) {
                    task.read(in, tokens.isEmpty(), tokenizer, token -> {
                        tokens.add(token);
                        if (tokens.size() == maxTokens) {
                            throw new EnoughException();
                        }
                    });
                }
            }
        } catch (EnoughException e) {
            // The rest of the text is not read; it may contain unknown symbols.
        }
        if (tokens.size() < 3) {
            throw new ConfigurationException(path + " contains fewer than three tokens: give a longer text.");
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Stops the tokenizer when enough tokens are read. */
    private static final class EnoughException extends RuntimeException {
        private static final long serialVersionUID = 1;

        EnoughException() {
            super(null, null, false, false);
        }
    }

    /** @return the text of each token; if tokens are bytes, the last byte of a character has its text */
    private static List<String> pieces(Tokenizer.Decoder decoder, int[] tokens) {
        CharsetDecoder utf8 = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);
        ByteBuffer incomplete = ByteBuffer.allocate(0);
        List<String> pieces = new ArrayList<>();
        for (int token : tokens) {
            byte[] bytes = decoder.decode(token);
            ByteBuffer in = ByteBuffer.allocate(incomplete.remaining() + bytes.length)
                    .put(incomplete)
                    .put(bytes)
                    .flip();
            CharBuffer out = CharBuffer.allocate(in.remaining());
            utf8.decode(in, out, false);
            pieces.add(out.flip().toString());
            incomplete = in;
        }
        return pieces;
    }

    private static Flow flow(Network network, int[] tokens) {
        return new Flow(
                GradientFlow.measure(network, lanes(tokens)),
                new GateTrace(network.shape(), network.parameters()).largestSingularValues());
    }

    /** @return pieces of equal length, evenly distributed over the text, {@code [lanes][length]} */
    private static int[][] lanes(int[] tokens) {
        int length = Math.min(MAX_STEPS_BACK + 1, tokens.length);
        int[][] lanes = new int[Math.min(MAX_LANES, tokens.length - length + 1)][];
        for (int lane = 0; lane < lanes.length; lane++) {
            int start = (int) ((long) lane * (tokens.length - length) / Math.max(1, lanes.length - 1));
            lanes[lane] = Arrays.copyOfRange(tokens, start, start + length);
        }
        return lanes;
    }

    private static Map<Double, String> samples(Network network, TrainedModel model) throws IOException {
        Map<Double, String> samples = new LinkedHashMap<>();
        for (double temperature : TEMPERATURES) {
            Sampler sampler =
                    new Sampler(temperature, 0, 1, model.settings().run().seed());
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            network.setState(RecurrentState.ZERO);
            Prompt prompt = new Prompt("", SAMPLE_LENGTH, sampler::draw);
            model.task().answer(network, model.vocabularies(), prompt, out);
            samples.put(temperature, out.toString(StandardCharsets.UTF_8));
        }
        return samples;
    }

    private static double[] surprisal(Network network, int[] tokens) {
        network.setState(RecurrentState.ZERO);
        double[] bits = new double[tokens.length];
        int vocabulary = network.shape().vocabulary();
        for (int start = 0; start < tokens.length - 1; start += CHUNK) {
            int steps = Math.min(CHUNK, tokens.length - 1 - start);
            int[] inputs = Arrays.copyOfRange(tokens, start, start + steps);
            float[] logits = network.logits(new Batch(1, steps, inputs, new int[steps]));
            for (int step = 0; step < steps; step++) {
                bits[start + step + 1] = bits(logits, step * vocabulary, vocabulary, tokens[start + step + 1]);
            }
        }
        return bits;
    }

    private static double bits(float[] logits, int from, int size, int token) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = from; i < from + size; i++) {
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < from + size; i++) {
            sum += Math.exp(logits[i] - max);
        }
        return (Math.log(sum) + max - logits[from + token]) / Math.log(2);
    }

    private static List<LayerView> layers(List<GateTrace.Layer> traces, List<String> text) {
        List<LayerView> layers = new ArrayList<>();
        for (GateTrace.Layer layer : traces) {
            Map<String, Saturation> saturation = new LinkedHashMap<>();
            layer.gates().forEach((gate, steps) -> saturation.put(gate, Saturation.of(steps)));
            layers.add(new LayerView(layer, saturation, featureCells(layer, text)));
        }
        return layers;
    }

    private static List<FeatureCell> featureCells(GateTrace.Layer layer, List<String> text) {
        float[][] states =
                layer.values().getOrDefault(GateTrace.CELL, layer.values().get(GateTrace.HIDDEN));
        List<FeatureCell> best = new ArrayList<>();
        for (TextFeature feature : TextFeature.values()) {
            double[] values = feature.of(text);
            String name = SettingNames.kebab(feature).replace('-', ' ');
            List<FeatureCell> cells = new ArrayList<>();
            for (int i = 0; i < states[0].length; i++) {
                int cell = i;
                double[] activations =
                        Arrays.stream(states).mapToDouble(step -> step[cell]).toArray();
                double correlation = TextFeature.correlation(values, activations);
                if (correlation != 0) {
                    cells.add(new FeatureCell(name, cell, correlation));
                }
            }
            cells.sort(Comparator.comparing(featureCell -> -Math.abs(featureCell.correlation)));
            best.addAll(cells.subList(0, Math.min(MAX_FEATURE_CELLS, cells.size())));
        }
        return best;
    }
}
