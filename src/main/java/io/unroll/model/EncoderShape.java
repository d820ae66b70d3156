package io.unroll.model;

import java.io.Serializable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/** What decides the arrays of one of the networks that a network is made of. */
public sealed interface EncoderShape extends Serializable permits NetworkShape, ImageShape, AttentionShape {
    /** The seed of a configuration from which no weights are drawn. Not 0, which ND4J takes for the time of day. */
    long UNUSED_SEED = 1;

    int parameters();

    default EncoderShape withThreads(int number) {
        return this;
    }

    /** @return the network in Deeplearning4j's own classes */
    MultiLayerConfiguration configuration(long seed);

    /** @param ours one vector of parameters, or several, one after the other */
    default float[] toDeeplearning4j(float[] ours) {
        return ours;
    }

    /** @param theirs one vector of parameters, as Deeplearning4j has them */
    default float[] fromDeeplearning4j(float[] theirs) {
        if (theirs.length != parameters()) {
            throw new IllegalArgumentException(
                    "it holds " + theirs.length + " parameters, and its configuration is for " + parameters());
        }
        return theirs;
    }
}
