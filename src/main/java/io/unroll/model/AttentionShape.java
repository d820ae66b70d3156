package io.unroll.model;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/**
 * The shape of an {@link AttentionLayer}, whose weights are {@code Wa [hidden, hidden]} and
 * {@code Wc [2 hidden, hidden]}, each column by column. In Deeplearning4j's configuration they are two dense layers,
 * used only to store the weights.
 */
public record AttentionShape(int hidden) implements EncoderShape {
    @Override
    public int parameters() {
        return ParameterOrder.checkedCount(3L * hidden * hidden);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.XAVIER)
                .miniBatch(false)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(hidden)
                        .nOut(hidden)
                        .hasBias(false)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new DenseLayer.Builder()
                        .nIn(2L * hidden)
                        .nOut(hidden)
                        .hasBias(false)
                        .activation(Activation.TANH)
                        .build())
                .overrideNinUponBuild(false)
                .build();
    }
}
