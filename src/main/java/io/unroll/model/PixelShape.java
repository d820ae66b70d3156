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
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A small convolutional network over square RGB images, each {@code [3, side, side]} in 0 to 255: three times a 3 x 3
 * convolution and a pooling that halves the side, with 16, 32 and 128 channels, of each channel the largest number
 * wherever it is, and then a dense layer. Where the dense layer sees each place by itself, what it learns of a shape in
 * one colour does not hold for another. It is normalized (Ba, Kiros & Hinton 2016): the largest of many numbers are so
 * large that its tanh would be the same for all images.
 *
 * @param side pixels
 */
public record PixelShape(int side, int outputs, Place place) implements ImageShape {
    private static final int[] CHANNELS = {16, 32, 128};

    /** Columns of the first convolutions, their outputs, and the gradients of both. */
    private static final long NUMBERS_OF_A_PIXEL = 150;

    @Override
    public INDArray input(int[][] sources) {
        INDArray pixels = values(sources, side);
        return pixels.divi(127.5).subi(1);
    }

    /** @return {@code [images, 3, side, side]}, in 0 to 255 */
    static INDArray values(int[][] images, int side) {
        float[] values = new float[images.length * images[0].length];
        int next = 0;
        for (int[] image : images) {
            for (int value : image) {
                values[next++] = value;
            }
        }
        return Nd4j.createFromArray(values).reshape('c', images.length, 3, side, side);
    }

    @Override
    public long bytesOfAnImage() {
        return Float.BYTES * NUMBERS_OF_A_PIXEL * side * side;
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
