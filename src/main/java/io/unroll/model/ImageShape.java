package io.unroll.model;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/**
 * A small convolutional network over square RGB images: three times a 3 x 3 convolution and a pooling that halves the
 * side, with 16, 32 and 128 channels, of each channel the largest number wherever it is, and then a dense layer. Where
 * the dense layer sees each place by itself, what it learns of a shape in one colour does not hold for another.
 *
 * @param side pixels
 * @param outputs of the dense layer
 * @param place what the outputs become
 */
public record ImageShape(int side, int outputs, Place place) implements EncoderShape {
    private static final int[] CHANNELS = {16, 32, 128};

    /** Where a recurrent network takes the image in (Tanti et al. 2018). */
    public enum Place {
        /** As the state from which all layers start. */
        INITIAL_STATE,
        /** As what the lowest layer reads in a first step. */
        FIRST_STEP
    }

    @Override
    public int parameters() {
        MultiLayerConfiguration configuration = configuration(0);
        return ParameterOrder.checked(configuration.getConfs().stream()
                .mapToLong(each -> each.getLayer().initializer().numParams(each))
                .sum());
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.RELU)
                .miniBatch(false)
                .list();
        for (int channels : CHANNELS) {
            list.layer(new ConvolutionLayer.Builder(3, 3)
                    .padding(1, 1)
                    .nOut(channels)
                    .activation(Activation.RELU)
                    .build());
            list.layer(
                    new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX, new int[] {2, 2}, new int[] {2, 2})
                            .build());
        }
        return list.layer(new GlobalPoolingLayer(PoolingType.MAX))
                .layer(new DenseLayer.Builder()
                        .nOut(outputs)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.TANH)
                        .build())
                .setInputType(InputType.convolutional(side, side, 3))
                .build();
    }
}
