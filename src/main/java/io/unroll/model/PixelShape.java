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
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The shape of a small convolutional network over square RGB images, each {@code [3, side, side]} from 0 to 255. Three
 * times, a 3 x 3 convolution is followed by a max pooling that halves the side, with 16, 32 and 128 channels; then come
 * the global maximum of each channel and a dense layer. Without the global maximum, a dense layer that has learned a
 * shape in one colour does not recognize it in another. The dense layer has layer normalization (Ba, Kiros &amp; Hinton
 * 2016), because global maxima are so large that its tanh would otherwise be the same for all images.
 *
 * @param side pixels
 */
public record PixelShape(int side, int outputs, Place place) implements ImageShape {
    private static final int[] CHANNELS = {16, 32, 128};

    /** im2col columns and outputs of the first convolutions, and the gradients of both. */
    private static final long VALUES_PER_PIXEL = 150;

    @Override
    public INDArray input(int[][] sources) {
        INDArray pixels = values(sources, side);
        return pixels.divi(127.5).subi(1);
    }

    /** @return {@code [images, 3, side, side]}, from 0 to 255 */
    static INDArray values(int[][] images, int side) {
        try (INDArray values = Nd4j.createFromArray(images)) {
            return values.castTo(DataType.FLOAT).reshape('c', images.length, 3, side, side);
        }
    }

    @Override
    public long bytesPerImage() {
        return Float.BYTES * VALUES_PER_PIXEL * side * side;
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
                        .hasLayerNorm(true)
                        .activation(Activation.TANH)
                        .build())
                .setInputType(InputType.convolutional(side, side, 3))
                .build();
    }
}
