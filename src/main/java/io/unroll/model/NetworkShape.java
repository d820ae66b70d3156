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
 * The shape of a network: everything that determines its arrays and its arithmetic, without the weights.
 *
 * @param vocabulary size of the vocabulary of its inputs
 * @param outputs number of classes that it predicts; 0 for an encoder
 * @param pooling how the steps of a lane become the output layer's input
 * @param encoder shape of the encoder of a lane's source, a network without outputs or an image encoder; null for none
 * @param threads number of OpenMP threads
 */
public record NetworkShape(
        Settings.Model model,
        int vocabulary,
        int outputs,
        PoolingMode pooling,
        EncoderShape encoder,
        Settings.Optimizer optimizer,
        int threads)
        implements EncoderShape {
    static {
        Natives.liftLimits();
    }

    /** How the outputs of the last recurrent layer become the output layer's input. */
    public enum PoolingMode {
        /** Every step. */
        NONE,
        /** The last step of each lane. */
        LAST,
        /** The mean over the steps of each lane. */
        MEAN,
        /** The maximum over the steps of each lane. */
        MAX
    }

    /** Creates the shape of a language model, which predicts the next token at each step. */
    public NetworkShape(Settings.Model model, int vocabulary, Settings.Optimizer optimizer, int threads) {
        this(model, vocabulary, vocabulary, PoolingMode.NONE, null, optimizer, threads);
    }

    /** @return this shape with an encoder of the settings' image input, which enters the network at {@code place} */
    public NetworkShape withImage(ImageShape.Place place) {
        int size = place == ImageShape.Place.FIRST_STEP ? model.embedding() : stateArrays() * model.hidden();
        Settings.ImageInput input = model.image();
        ImageShape image = input.features() > 0
                ? new FeatureShape(input.features(), size, place)
                : new PixelShape(input.side(), size, place);
        return new NetworkShape(model, vocabulary, outputs, pooling, image, optimizer, threads);
    }

    @Override
    public NetworkShape withThreads(int number) {
        EncoderShape encoderShape = encoder == null ? null : encoder.withThreads(number);
        return new NetworkShape(model, vocabulary, outputs, pooling, encoderShape, optimizer, number);
    }

    /** @return this shape without dropout and label smoothing; the encoder keeps its own */
    public NetworkShape unregularized() {
        return new NetworkShape(model.unregularized(), vocabulary, outputs, pooling, encoder, optimizer, threads);
    }

    /** @throws io.unroll.config.ConfigurationException if there are too many parameters for one array */
    @Override
    public int parameters() {
        long total = order().total();
        for (EncoderShape subnetwork : subnetworks().values()) {
            total += subnetwork.parameters();
        }
        return ParameterOrder.checkedCount(total);
    }

    /**
     * A part of the network that is saved as a Deeplearning4j network, and the place of its parameters.
     *
     * @param name file name
     * @param start index of its first parameter
     * @param size number of its parameters
     * @param total number of parameters of the entire network
     */
    public record Part(String name, EncoderShape shape, int start, int size, int total) {
        /**
         * Returns this part's numbers.
         *
         * @param values one or several vectors of {@code total} numbers, one after the other
         */
        public float[] slice(float[] values) {
            float[] slice = new float[values.length / total * size];
            for (int vector = 0; vector < values.length / total; vector++) {
                System.arraycopy(values, vector * total + start, slice, vector * size, size);
            }
            return slice;
        }
    }

    /** @return null without attention */
    AttentionShape attention() {
        boolean attends = model.attention() != Settings.Attention.NONE && encoder instanceof NetworkShape;
        return attends ? new AttentionShape(model.hidden()) : null;
    }

    /** @return whether a second encoder of the same shape reads the source in the other direction */
    boolean bidirectional() {
        return model.bidirectional() && attention() != null;
    }

    /** @return encoders and attention by their file names, in the order of their parameters */
    private Map<String, EncoderShape> subnetworks() {
        Map<String, EncoderShape> subnetworks = new LinkedHashMap<>();
        if (encoder != null) {
            subnetworks.put("encoder.zip", encoder);
        }
        if (bidirectional()) {
            subnetworks.put("encoder-forward.zip", encoder);
        }
        if (attention() != null) {
            subnetworks.put("attention.zip", attention());
        }
        return subnetworks;
    }

    /** @return the parts of the network, in the order of their parameters */
    public List<Part> parts() {
        int total = parameters();
        List<Part> parts = new ArrayList<>();
        int end = order().total();
        parts.add(new Part("network.zip", this, 0, end, total));
        for (Map.Entry<String, EncoderShape> subnetwork : subnetworks().entrySet()) {
            int size = subnetwork.getValue().parameters();
            parts.add(new Part(subnetwork.getKey(), subnetwork.getValue(), end, size, total));
            end += size;
        }
        return parts;
    }

    /** @return initial parameters as Deeplearning4j draws them, with a different seed for each part */
    float[] initialParameters(long seed) {
        int part = 0;
        float[] parameters = initialParameters(this, Seeds.of(seed, part));
        for (EncoderShape subnetwork : subnetworks().values()) {
            parameters = NativeFloats.join(parameters, initialParameters(subnetwork, Seeds.of(seed, ++part)));
        }
        return parameters;
    }

    private static float[] initialParameters(EncoderShape shape, long seed) {
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
    public float[] toDeeplearning4j(float[] vectors) {
        return order().toDeeplearning4j(vectors);
    }

    @Override
    public int deeplearning4jParameters() {
        return order().deeplearning4jTotal();
    }

    @Override
    public float[] fromDeeplearning4j(float[] vector) {
        return order().fromDeeplearning4j(vector);
    }

    /** @return number of arrays {@code [lanes, hidden]} in the state of all layers */
    int stateArrays() {
        return model.layers() * (model.cell() == Settings.Cell.LSTM ? 2 : 1);
    }

    /** @return whether the state has the arrays and sizes of this network with this number of lanes */
    public boolean acceptsState(RecurrentState state, int lanes) {
        long size = (long) lanes * model.hidden();
        return state.arrays().length == 0
                || (state.arrays().length == stateArrays()
                        && Arrays.stream(state.arrays()).allMatch(array -> array.length == size));
    }

    /** @return how many numbers the optimizer's state has */
    public int optimizerSize() {
        return new OptimizerStep(optimizer, parameters()).stateSize();
    }

    /** @return how many numbers the optimizer's state has for each parameter */
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
