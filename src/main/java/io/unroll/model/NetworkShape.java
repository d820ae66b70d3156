package io.unroll.model;

import io.unroll.chunk.Seeds;
import io.unroll.config.Settings;
import io.unroll.kernel.CellType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.lang3.ArrayUtils;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * The shape of a network: everything that determines its arrays and its arithmetic, without the weights.
 *
 * @param vocabulary size of the vocabulary of its inputs
 * @param outputs number of classes that it predicts; 0 for an encoder
 * @param pools whether the steps of a lane become one row of the output layer's input, by {@code model.pooling}
 * @param subnetworks encoders of a lane's source, each a network without outputs or an image encoder, and attention
 * @param threads number of OpenMP threads
 */
public record NetworkShape(
        Settings.Model model,
        int vocabulary,
        int outputs,
        boolean pools,
        SortedMap<Role, EncoderShape> subnetworks,
        Settings.Optimizer optimizer,
        int threads)
        implements EncoderShape {
    static {
        Natives.liftLimits();
    }

    /** What a part of a network does. */
    public enum Role {
        /** The recurrent layers and the output layer. */
        NETWORK,
        /** Encodes the sources. */
        ENCODER,
        /** Encodes the sources in the other direction. */
        ENCODER_FORWARD,
        ATTENTION
    }

    /** Creates the shape of a network without encoders and attention. */
    public NetworkShape(
            Settings.Model model,
            int vocabulary,
            int outputs,
            boolean pools,
            Settings.Optimizer optimizer,
            int threads) {
        this(model, vocabulary, outputs, pools, Collections.emptySortedMap(), optimizer, threads);
    }

    /** Creates the shape of a language model, which predicts the next token at each step. */
    public NetworkShape(Settings.Model model, int vocabulary, Settings.Optimizer optimizer, int threads) {
        this(model, vocabulary, vocabulary, false, optimizer, threads);
    }

    /** Creates the shape of a language model with these settings. */
    public NetworkShape(Settings settings, int vocabulary) {
        this(
                settings.model(),
                vocabulary,
                settings.training().optimizer(),
                settings.cluster().threads());
    }

    /**
     * @param encoderModel the settings of the encoder
     * @param sourceVocabulary size of the vocabulary of the sources
     * @return this shape with an encoder of text, and with attention and a second encoder if the settings have them
     */
    public NetworkShape withSource(Settings.Model encoderModel, int sourceVocabulary) {
        EncoderShape encoder = new NetworkShape(encoderModel, sourceVocabulary, 0, false, optimizer, threads);
        SortedMap<Role, EncoderShape> added = new TreeMap<>();
        added.put(Role.ENCODER, encoder);
        if (model.bidirectional()) {
            added.put(Role.ENCODER_FORWARD, encoder);
        }
        if (model.attention() != Settings.Attention.NONE) {
            added.put(Role.ATTENTION, new AttentionShape(model.hidden()));
        }
        return with(added);
    }

    /** @return this shape with an encoder of the settings' image input, which enters the network at {@code place} */
    public NetworkShape withImage(ImageShape.Place place) {
        int size = place == ImageShape.Place.FIRST_STEP ? model.embedding() : stateArrays() * model.hidden();
        Settings.ImageInput input = model.image();
        ImageShape image = input.features() > 0
                ? new FeatureShape(input.features(), size, place)
                : new PixelShape(input.side(), size, place);
        return with(new TreeMap<>(Map.of(Role.ENCODER, image)));
    }

    private NetworkShape with(SortedMap<Role, EncoderShape> otherSubnetworks) {
        return new NetworkShape(model, vocabulary, outputs, pools, otherSubnetworks, optimizer, threads);
    }

    @Override
    public NetworkShape withThreads(int number) {
        SortedMap<Role, EncoderShape> changed = new TreeMap<>();
        subnetworks.forEach((role, subnetwork) -> changed.put(role, subnetwork.withThreads(number)));
        return new NetworkShape(model, vocabulary, outputs, pools, changed, optimizer, number);
    }

    /** @throws io.unroll.config.ConfigurationException if there are too many parameters for one array */
    @Override
    public int parameters() {
        return ParameterOrder.checkedCount(order().total()
                + subnetworks.values().stream()
                        .mapToLong(EncoderShape::parameters)
                        .sum());
    }

    /**
     * A part of the network that is saved as a Deeplearning4j network, and the place of its parameters.
     *
     * @param start index of its first parameter
     * @param size number of its parameters
     * @param total number of parameters of the entire network
     */
    public record Part(Role role, EncoderShape shape, int start, int size, int total) {
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

    /** @return the parts of the network, in the order of their parameters */
    public List<Part> parts() {
        int total = parameters();
        List<Part> parts = new ArrayList<>();
        int end = order().total();
        parts.add(new Part(Role.NETWORK, this, 0, end, total));
        for (Map.Entry<Role, EncoderShape> subnetwork : subnetworks.entrySet()) {
            int size = subnetwork.getValue().parameters();
            parts.add(new Part(subnetwork.getKey(), subnetwork.getValue(), end, size, total));
            end += size;
        }
        return parts;
    }

    /** @return the part with this role, if the network has one */
    Optional<Part> part(Role role) {
        return parts().stream().filter(part -> part.role() == role).findFirst();
    }

    /** @return initial parameters as Deeplearning4j draws them, with a different seed for each part */
    float[] initialParameters(long seed) {
        int part = 0;
        float[] parameters = initialParameters(this, Seeds.of(seed, part));
        for (EncoderShape subnetwork : subnetworks.values()) {
            parameters = ArrayUtils.addAll(parameters, initialParameters(subnetwork, Seeds.of(seed, ++part)));
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
    public int stateArrays() {
        return model.layers() * CellType.of(model).states();
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
        return Math.multiplyExact(optimizerArrays(), parameters());
    }

    /** @return how many numbers the optimizer's state has for each parameter */
    public int optimizerArrays() {
        return OptimizerStep.stateArrays(optimizer);
    }

    /** @return bytes of the parameters and of the optimizer's state */
    public long weightBytes() {
        return Float.BYTES * ((long) parameters() + optimizerSize());
    }

    ParameterOrder order() {
        return new ParameterOrder(model, vocabulary, outputs);
    }
}
