package io.unroll.model;

import java.io.Serializable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/** What decides the arrays of what reads a lane's source. */
public sealed interface EncoderShape extends Serializable permits NetworkShape, ImageShape {
    int parameters();

    EncoderShape withThreads(int number);

    /** @return the network in Deeplearning4j's own classes */
    MultiLayerConfiguration configuration(long seed);

    /** @param ours one vector of parameters, or several, one after the other */
    float[] toDeeplearning4j(float[] ours);

    /** @param theirs one vector of parameters, as Deeplearning4j has them */
    float[] fromDeeplearning4j(float[] theirs);
}
