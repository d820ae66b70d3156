package io.unroll.inference;

import io.unroll.checkpoint.MetricsFile;
import io.unroll.checkpoint.Model;
import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Words;
import io.unroll.model.GateTrace;
import io.unroll.model.GradientFlow;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.task.Prompt;
import io.unroll.text.CorpusFiles;
import io.unroll.text.Slice;
import io.unroll.text.SliceInput;
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
 * What a language model does with a text, inside and out.
 *
 * @param metrics of the run, a line for each round; empty where they are not beside the model
 * @param samples by temperature
 * @param untrained how the gradient flows with the weights that training began with
 * @param trained how it flows now
 * @param text what each token stands for
 * @param surprise of each token, in bits, given those before it; the first one has none
 */
public record Inspection(
        Facts model,
        List<Map<String, Object>> metrics,
        Map<Double, String> samples,
        Flow untrained,
        Flow trained,
        List<String> text,
        double[] surprise,
        List<LayerView> layers) {
    private static final int FURTHEST = 200;
    private static final int MOST_LANES = 32;
    private static final int SLICE = 1 << 16;
    private static final int SAMPLE_LENGTH = 400;
    private static final double[] TEMPERATURES = {0.5, 0.8, 1.0};
    private static final int CHUNK = 64;
    private static final int READABLE_CELLS = 5;

    /** What kind of network it is. */
    public record Facts(String name, String cell, int layers, int hidden, int parameters, int vocabulary) {}

    /**
     * @param singularValues of each layer the largest one of each block of its recurrent weights, by the block's name
     */
    public record Flow(List<GradientFlow> norms, List<Map<String, Double>> singularValues) {}

    /**
     * A layer over the text.
     *
     * @param saturation of each gate
     * @param following cells that follow a signal best
     */
    public record LayerView(
            GateTrace.Layer activations, Map<String, Saturation> saturation, List<FollowingCell> following) {}

    /** @param left for each cell the share of steps in which its gate is below 0.1; right: above 0.9 */
    public record Saturation(double[] left, double[] right) {
        private static final double LEFT = 0.1;
        private static final double RIGHT = 0.9;

        static Saturation of(float[][] gate) {
            int cells = gate[0].length;
            double[] left = new double[cells];
            double[] right = new double[cells];
            for (float[] step : gate) {
                for (int cell = 0; cell < cells; cell++) {
                    left[cell] += step[cell] < LEFT ? 1.0 / gate.length : 0;
                    right[cell] += step[cell] > RIGHT ? 1.0 / gate.length : 0;
                }
            }
            return new Saturation(left, right);
        }
    }

    /** A cell whose state moves with something that a reader sees too. */
    public record FollowingCell(String signal, int cell, double correlation) {}

    /**
     * @param tokens that are read of the text, at the most
     * @throws ConfigurationException where the model is not of running text, or the text is too short
     */
    public static Inspection of(Model model, String name, String path, int tokens, Configuration hadoop)
            throws IOException {
        if (model.task().examples().isPresent()) {
            throw new ConfigurationException(
                    name + " answers rows, and inspect reads a language model's running text.");
        }
        int[] read = read(model, path, tokens, hadoop);
        List<String> text = pieces(model, read);
        NetworkShape shape = model.shape().unregularized();
        try (Network network = new Network(shape, model.settings().run().seed())) {
            Flow untrained = flow(network, read);
            network.setParameters(model.parameters());
            return new Inspection(
                    facts(model, name),
                    MetricsFile.beside(name, hadoop),
                    samples(network, model),
                    untrained,
                    flow(network, read),
                    text,
                    surprise(network, read),
                    layers(new GateTrace(shape, model.parameters()).read(read), text));
        }
    }

    /** @return of all tokens but the first */
    public double bitsPerToken() {
        return Arrays.stream(surprise).sum() / (surprise.length - 1);
    }

    /** @return of the run's steps, rounds weighted by their tokens; null where the metrics are not beside the model */
    public Double clippedShare() {
        if (metrics.isEmpty()) {
            return null;
        }
        double clipped = 0;
        double before = 0;
        for (Map<String, Object> round : metrics) {
            double tokens = ((Number) round.get("tokens")).doubleValue();
            clipped += (tokens - before) * ((Number) round.get("clipped_share")).doubleValue();
            before = tokens;
        }
        return clipped / before;
    }

    private static Facts facts(Model model, String name) {
        var settings = model.settings().model();
        return new Facts(
                name,
                Words.kebab(settings.cell()),
                settings.layers(),
                settings.hidden(),
                model.parameters().length,
                model.vocabularies().tokens().size());
    }

    private static int[] read(Model model, String path, int most, Configuration hadoop) throws IOException {
        Tokenizer tokenizer = Tokenizer.of(model.settings().corpus());
        List<Integer> tokens = new ArrayList<>();
        try {
            for (List<Slice> part : CorpusFiles.parts(path, SLICE, hadoop)) {
                for (Slice slice : part) {
                    try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), hadoop)) {
                        tokenizer.encode(in, model.vocabularies().tokens(), token -> {
                            tokens.add(token);
                            if (tokens.size() == most) {
                                throw new EnoughException();
                            }
                        });
                    }
                }
            }
        } catch (EnoughException e) {
            // What follows is not looked at, and may hold unknown symbols.
        }
        if (tokens.size() < 3) {
            throw new ConfigurationException(path + " holds fewer than three tokens: there is nothing to look at.");
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Ends the reading of a text in the midst of it. */
    private static final class EnoughException extends RuntimeException {
        private static final long serialVersionUID = 1;

        EnoughException() {
            super(null, null, false, false);
        }
    }

    /** @return what each token adds to the text; of a character's bytes, the last one adds it */
    private static List<String> pieces(Model model, int[] tokens) {
        Tokenizer.Decoder decoder = Tokenizer.of(model.settings().corpus())
                .decoder(model.vocabularies().tokens());
        CharsetDecoder utf8 = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);
        ByteBuffer open = ByteBuffer.allocate(0);
        List<String> pieces = new ArrayList<>();
        for (int token : tokens) {
            byte[] bytes = decoder.decode(token);
            ByteBuffer in = ByteBuffer.allocate(open.remaining() + bytes.length)
                    .put(open)
                    .put(bytes)
                    .flip();
            CharBuffer out = CharBuffer.allocate(in.remaining());
            utf8.decode(in, out, false);
            pieces.add(out.flip().toString());
            open = in;
        }
        return pieces;
    }

    private static Flow flow(Network network, int[] tokens) {
        return new Flow(
                GradientFlow.through(network, lanes(tokens)),
                new GateTrace(network.shape(), network.parameters()).largestSingularValues());
    }

    /** @return pieces of the text from places all over it */
    private static int[][] lanes(int[] tokens) {
        int length = Math.min(FURTHEST + 1, tokens.length);
        int[][] lanes = new int[Math.min(MOST_LANES, tokens.length - length + 1)][];
        for (int lane = 0; lane < lanes.length; lane++) {
            int start = (int) ((long) lane * (tokens.length - length) / Math.max(1, lanes.length - 1));
            lanes[lane] = Arrays.copyOfRange(tokens, start, start + length);
        }
        return lanes;
    }

    private static Map<Double, String> samples(Network network, Model model) throws IOException {
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

    private static double[] surprise(Network network, int[] tokens) {
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
        double most = Double.NEGATIVE_INFINITY;
        for (int i = from; i < from + size; i++) {
            most = Math.max(most, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < from + size; i++) {
            sum += Math.exp(logits[i] - most);
        }
        return (Math.log(sum) + most - logits[from + token]) / Math.log(2);
    }

    private static List<LayerView> layers(List<GateTrace.Layer> traced, List<String> text) {
        List<LayerView> layers = new ArrayList<>();
        for (GateTrace.Layer layer : traced) {
            Map<String, Saturation> saturation = new LinkedHashMap<>();
            layer.gates().forEach((gate, steps) -> saturation.put(gate, Saturation.of(steps)));
            layers.add(new LayerView(layer, saturation, readable(layer, text)));
        }
        return layers;
    }

    private static List<FollowingCell> readable(GateTrace.Layer layer, List<String> text) {
        float[][] states =
                layer.values().getOrDefault(GateTrace.CELL, layer.values().get(GateTrace.HIDDEN));
        List<FollowingCell> all = new ArrayList<>();
        for (Signal signal : Signal.values()) {
            double[] followed = signal.of(text);
            String name = Words.kebab(signal).replace('-', ' ');
            List<FollowingCell> cells = new ArrayList<>();
            for (int i = 0; i < states[0].length; i++) {
                int cell = i;
                double[] activations =
                        Arrays.stream(states).mapToDouble(step -> step[cell]).toArray();
                double correlation = Signal.correlation(followed, activations);
                if (correlation != 0) {
                    cells.add(new FollowingCell(name, cell, correlation));
                }
            }
            cells.sort(Comparator.comparing(each -> -Math.abs(each.correlation)));
            all.addAll(cells.subList(0, Math.min(READABLE_CELLS, cells.size())));
        }
        return all;
    }
}
