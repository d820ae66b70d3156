package io.unroll.model;

import io.unroll.config.ConfigurationException;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;

/**
 * Where the parts of a network's parameters lie in the one vector that holds them all:
 *
 * <pre>
 *   embedding [vocabulary, size] | layer 1 | layer 2 | ... | output weights [outputs, hidden] | output bias
 * </pre>
 *
 * This is Deeplearning4j's order but for two things. Its embedding lies feature by feature, in which looking up a
 * token touches as many pages as it has features; ours lies token by token. And where embedding and output are tied,
 * ours has the matrix once.
 */
final class ParameterOrder {
    /** An optimizer's state, which may be twice as many, must fit one array of the JVM. */
    private static final long MOST = 1_000_000_000;

    private final int vocabulary;
    private final int outputs;
    private final int embedding;
    private final boolean tied;
    private final long[] layers;
    private final long bias;

    ParameterOrder(NetworkShape shape, MultiLayerConfiguration configuration) {
        vocabulary = shape.vocabulary();
        outputs = shape.outputs();
        embedding = shape.model().embedding();
        tied = shape.model().tied();
        layers = new long[shape.model().layers() + 1];
        layers[0] = (long) vocabulary * embedding;
        for (int i = 0; i < layers.length - 1; i++) {
            NeuralNetConfiguration layer = configuration.getConf(i + 1);
            layers[i + 1] = layers[i] + layer.getLayer().initializer().numParams(layer);
        }
        long end = layers[layers.length - 1];
        bias = tied ? end : end + (long) outputs * shape.model().hidden();
        checked(bias + outputs);
    }

    /** @throws ConfigurationException where there are too many */
    static int checked(long parameters) {
        if (parameters > MOST) {
            throw new ConfigurationException("the network would have " + parameters + " parameters, and " + MOST
                    + " is the most: lower model.hidden, model.embedding, model.layers, model.image.side or"
                    + " corpus.max-vocabulary.");
        }
        return (int) parameters;
    }

    /** @return where the i-th recurrent layer starts, and where the one before it ends */
    long layer(int i) {
        return layers[i];
    }

    long outputWeights() {
        return tied ? 0 : layers[layers.length - 1];
    }

    long bias() {
        return bias;
    }

    int total() {
        return (int) (bias + outputs);
    }

    /** @return how many parameters Deeplearning4j has */
    int deeplearning4jTotal() {
        return checked(total() + (tied ? layers[0] : 0));
    }

    /** @param ours one vector of {@link #total} numbers, or several, one after the other */
    float[] toDeeplearning4j(float[] ours) {
        int from = total();
        int copies = ours.length / from;
        int repeated = tied ? (int) layers[0] : 0;
        float[] theirs = new float[copies * (from + repeated)];
        for (int copy = 0; copy < copies; copy++) {
            int start = copy * from;
            int end = copy * (from + repeated);
            for (int token = 0; token < vocabulary; token++) {
                for (int feature = 0; feature < embedding; feature++) {
                    theirs[end + feature * vocabulary + token] = ours[start + token * embedding + feature];
                }
            }
            int layerStart = (int) layers[0];
            System.arraycopy(ours, start + layerStart, theirs, end + layerStart, (int) bias - layerStart);
            System.arraycopy(ours, start, theirs, end + (int) bias, repeated);
            System.arraycopy(ours, start + (int) bias, theirs, end + (int) bias + repeated, outputs);
        }
        return theirs;
    }

    /** @param theirs one vector of {@link #deeplearning4jTotal} numbers */
    float[] fromDeeplearning4j(float[] theirs) {
        float[] ours = new float[total()];
        for (int token = 0; token < vocabulary; token++) {
            for (int feature = 0; feature < embedding; feature++) {
                ours[token * embedding + feature] = theirs[feature * vocabulary + token];
            }
        }
        int layerStart = (int) layers[0];
        System.arraycopy(theirs, layerStart, ours, layerStart, (int) bias - layerStart);
        System.arraycopy(theirs, theirs.length - outputs, ours, (int) bias, outputs);
        return ours;
    }
}
