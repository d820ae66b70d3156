package io.unroll.model;

import io.unroll.chunk.Seeds;
import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * All that decides a network's arrays and arithmetic, but not its weights.
 *
 * @param vocabulary tokens that it reads
 * @param outputs classes that it predicts
 * @param pooling what of a lane the output sees
 * @param encoder of what reads a lane's source first: a network without outputs, or one over images; null for none
 */
public record NetworkShape(
        Settings.Model model,
        int vocabulary,
        int outputs,
        Pooling pooling,
        EncoderShape encoder,
        Settings.Optimizer optimizer,
        int threads)
        implements EncoderShape {
    static {
        Natives.liftLimits();
    }

    /** What the output layer sees of the last recurrent layer. */
    public enum Pooling {
        /** Every step by itself. */
        NONE,
        /** Of each lane the last step. */
        LAST,
        /** Of each lane and feature the mean over its steps. */
        MEAN,
        /** Of each lane and feature the largest of its steps. */
        MAX
    }

    /** A network that predicts, at each step, a token of its own vocabulary. */
    public NetworkShape(Settings.Model model, int vocabulary, Settings.Optimizer optimizer, int threads) {
        this(model, vocabulary, vocabulary, Pooling.NONE, null, optimizer, threads);
    }

    /** @return the same after an image has been seen, pixels or features as the model says */
    public NetworkShape after(ImageShape.Place place) {
        int size = place == ImageShape.Place.FIRST_STEP ? model.embedding() : stateArrays() * model.hidden();
        Settings.ImageInput input = model.image();
        ImageShape image = input.features() > 0
                ? new FeatureShape(input.features(), size, place)
                : new PixelShape(input.side(), size, place);
        return new NetworkShape(model, vocabulary, outputs, pooling, image, optimizer, threads);
    }

    @Override
    public NetworkShape withThreads(int number) {
        EncoderShape reader = encoder == null ? null : encoder.withThreads(number);
        return new NetworkShape(model, vocabulary, outputs, pooling, reader, optimizer, number);
    }

    /** @return the same, which drops nothing in passes of training, nor smoothes; what it reads first stays as it is */
    public NetworkShape unregularized() {
        return new NetworkShape(model.unregularized(), vocabulary, outputs, pooling, encoder, optimizer, threads);
    }

    /** @throws io.unroll.config.ConfigurationException where there would be too many for one array */
    @Override
    public int parameters() {
        long all = order().total();
        for (EncoderShape more : others().values()) {
            all += more.parameters();
        }
        return ParameterOrder.checked(all);
    }

    /**
     * A network of Deeplearning4j, and where its parameters lie among all.
     *
     * @param name of the file that keeps it
     */
    public record Part(String name, EncoderShape shape, int start, int size, int all) {
        /** @param values one for each of all parameters, or several, one after the other */
        public float[] cut(float[] values) {
            float[] cut = new float[values.length / all * size];
            for (int copy = 0; copy < values.length / all; copy++) {
                System.arraycopy(values, copy * all + start, cut, copy * size, size);
            }
            return cut;
        }
    }

    /** @return null where there is none */
    AttentionShape attention() {
        boolean attends = model.attention() != Settings.Attention.NONE && encoder instanceof NetworkShape;
        return attends ? new AttentionShape(model.hidden()) : null;
    }

    /** @return whether a second encoder, of the same shape, reads the source in the other direction */
    boolean bidirectional() {
        return model.bidirectional() && attention() != null;
    }

    /** @return what the network is made of beside its own layers, by the names of their files, in the parameters' order */
    private Map<String, EncoderShape> others() {
        Map<String, EncoderShape> others = new LinkedHashMap<>();
        if (encoder != null) {
            others.put("encoder.zip", encoder);
        }
        if (bidirectional()) {
            others.put("encoder-forward.zip", encoder);
        }
        if (attention() != null) {
            others.put("attention.zip", attention());
        }
        return others;
    }

    /** @return the networks that this one is made of */
    public List<Part> parts() {
        int all = parameters();
        List<Part> parts = new ArrayList<>();
        int end = order().total();
        parts.add(new Part("network.zip", this, 0, end, all));
        for (Map.Entry<String, EncoderShape> other : others().entrySet()) {
            int size = other.getValue().parameters();
            parts.add(new Part(other.getKey(), other.getValue(), end, size, all));
            end += size;
        }
        return parts;
    }

    /** @return as Deeplearning4j starts the same networks, each from a seed of its own */
    float[] initial(long seed) {
        int part = 0;
        float[] initial = initial(this, Seeds.of(seed, part));
        for (EncoderShape other : others().values()) {
            initial = Floats.join(initial, initial(other, Seeds.of(seed, ++part)));
        }
        return initial;
    }

    private static float[] initial(EncoderShape shape, long seed) {
        MultiLayerNetwork net = new MultiLayerNetwork(shape.configuration(seed));
        net.init();
        float[] parameters = shape.fromDeeplearning4j(net.params().dup().data().asFloat());
        net.close();
        return parameters;
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return Configurations.of(this, seed);
    }

    @Override
    public float[] toDeeplearning4j(float[] ours) {
        return order().toDeeplearning4j(ours);
    }

    @Override
    public int deeplearning4jParameters() {
        return order().deeplearning4jTotal();
    }

    @Override
    public float[] fromDeeplearning4j(float[] theirs) {
        return order().fromDeeplearning4j(theirs);
    }

    /** @return arrays of {@code [lanes, hidden]} in the state of all layers */
    int stateArrays() {
        return model.layers() * (model.cell() == Settings.Cell.LSTM ? 2 : 1);
    }

    /** @return whether the state can be that of so many lanes */
    public boolean hasState(RecurrentState state, int lanes) {
        long size = (long) lanes * model.hidden();
        return state.arrays().length == 0
                || (state.arrays().length == stateArrays()
                        && Arrays.stream(state.arrays()).allMatch(array -> array.length == size));
    }

    /** @return numbers that the optimizer remembers */
    public int optimizerSize() {
        return new Optimizer(optimizer, parameters()).stateSize();
    }

    /** @return numbers that the optimizer remembers of each parameter */
    public int optimizerArrays() {
        return optimizerSize() / parameters();
    }

    /** @return bytes of the parameters and of the optimizer's state */
    public long weightBytes() {
        return Float.BYTES * ((long) parameters() + optimizerSize());
    }

    ParameterOrder order() {
        return new ParameterOrder(this, Configurations.of(this, UNUSED_SEED));
    }
}
