package io.unroll.model;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.kernel.CellType;

/**
 * The order of a network's parameters in one vector:
 *
 * <pre>
 *   embedding [vocabulary, size] | layer 1 | layer 2 | ... | output weights [outputs, hidden] | output bias
 * </pre>
 *
 * Deeplearning4j's order differs in two ways. It stores the embedding feature by feature, so that looking up a token
 * touches as many pages as there are features; here the embedding is stored token by token. If embedding and output are
 * tied, it stores the matrix twice; here it is stored once.
 */
final class ParameterOrder {
    /** The optimizer's state, up to twice as many numbers, must fit in one Java array. */
    private static final long MAX_PARAMETERS = 1_000_000_000;

    private final int vocabulary;
    private final int outputs;
    private final int embedding;
    private final boolean tied;
    private final long[] layers;
    private final long bias;

    ParameterOrder(Settings.Model model, int vocabulary, int outputs) {
        this.vocabulary = vocabulary;
        this.outputs = outputs;
        embedding = model.embedding();
        tied = model.tied();
        layers = new long[model.layers() + 1];
        layers[0] = (long) vocabulary * embedding;
        for (int i = 0; i < model.layers(); i++) {
            int inputs = i == 0 ? embedding : model.hidden();
            layers[i + 1] = layers[i] + CellType.of(model).parameterCount(inputs, model.hidden());
        }
        long end = layers[model.layers()];
        bias = tied ? end : end + (long) outputs * model.hidden();
        checkedCount(bias + outputs);
    }

    /**
     * Returns the number of parameters as an {@code int}.
     *
     * @throws ConfigurationException if there are too many
     */
    static int checkedCount(long parameters) {
        if (parameters > MAX_PARAMETERS) {
            throw new ConfigurationException(
                    "the network would have " + parameters + " parameters; the maximum is " + MAX_PARAMETERS
                            + ". Lower model.hidden, model.embedding, model.layers, model.image.side or"
                            + " corpus.max-vocabulary.");
        }
        return (int) parameters;
    }

    /** @return the start of the i-th recurrent layer, which is the end of the previous one */
    long layer(int i) {
        return layers[i];
    }

    /** @return the start of the output weights; 0 if they are tied to the embedding */
    long outputWeights() {
        return tied ? 0 : layers[layers.length - 1];
    }

    /** @return the start of the output bias */
    long bias() {
        return bias;
    }

    int total() {
        return (int) (bias + outputs);
    }

    /** @return number of parameters in Deeplearning4j */
    int deeplearning4jTotal() {
        return checkedCount(total() + (tied ? layers[0] : 0));
    }

    /** @param vectors one or several vectors of {@link #total} numbers, one after the other */
    float[] toDeeplearning4j(float[] vectors) {
        int size = total();
        int count = vectors.length / size;
        int tiedSize = tied ? (int) layers[0] : 0;
        float[] result = new float[count * (size + tiedSize)];
        for (int i = 0; i < count; i++) {
            int from = i * size;
            int to = i * (size + tiedSize);
            for (int token = 0; token < vocabulary; token++) {
                for (int feature = 0; feature < embedding; feature++) {
                    result[to + feature * vocabulary + token] = vectors[from + token * embedding + feature];
                }
            }
            int layerStart = (int) layers[0];
            System.arraycopy(vectors, from + layerStart, result, to + layerStart, (int) bias - layerStart);
            System.arraycopy(vectors, from, result, to + (int) bias, tiedSize);
            System.arraycopy(vectors, from + (int) bias, result, to + (int) bias + tiedSize, outputs);
        }
        return result;
    }

    /** @param vector of {@link #deeplearning4jTotal} numbers */
    float[] fromDeeplearning4j(float[] vector) {
        float[] result = new float[total()];
        for (int token = 0; token < vocabulary; token++) {
            for (int feature = 0; feature < embedding; feature++) {
                result[token * embedding + feature] = vector[feature * vocabulary + token];
            }
        }
        int layerStart = (int) layers[0];
        System.arraycopy(vector, layerStart, result, layerStart, (int) bias - layerStart);
        System.arraycopy(vector, vector.length - outputs, result, (int) bias, outputs);
        return result;
    }
}
