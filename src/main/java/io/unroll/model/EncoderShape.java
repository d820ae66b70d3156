package io.unroll.model;

import java.io.Serializable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/** The shape of one of the subnetworks of a model: recurrent network, image encoder or attention. */
public sealed interface EncoderShape extends Serializable permits NetworkShape, ImageShape, AttentionShape {
    /** Seed of a configuration that draws no weights. Not 0, for which ND4J takes the time of day. */
    long UNUSED_SEED = 1;

    int parameters();

    default EncoderShape withThreads(int number) {
        return this;
    }

    /** @return the network as a Deeplearning4j configuration */
    MultiLayerConfiguration configuration(long seed);

    /**
     * Converts to Deeplearning4j's order of the parameters.
     *
     * @param vectors one or several vectors of {@link #parameters} numbers, one after the other
     */
    default float[] toDeeplearning4j(float[] vectors) {
        return vectors;
    }

    /** @return number of parameters of the same network in Deeplearning4j */
    default int deeplearning4jParameters() {
        return parameters();
    }

    /**
     * Converts from Deeplearning4j's order of the parameters.
     *
     * @param vector of {@link #deeplearning4jParameters} numbers
     */
    default float[] fromDeeplearning4j(float[] vector) {
        return vector;
    }
}
