package io.unroll.model;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The shape of an image encoder that is a dense layer over the features that another network computed from the image.
 * Features are stored as the bits of floats and scaled to a mean square of 1 for each image, whatever the scale of that
 * network (Tanti et al. 2018 scale them to length 1).
 *
 * @param features number of features of an image
 */
public record FeatureShape(int features, int outputs, Place place) implements ImageShape {
    @Override
    public INDArray input(int[][] sources) {
        float[] values = new float[sources.length * features];
        for (int lane = 0; lane < sources.length; lane++) {
            double squares = 0;
            for (int bits : sources[lane]) {
                float value = Float.intBitsToFloat(bits);
                squares += (double) value * value;
            }
            double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares / features);
            for (int i = 0; i < features; i++) {
                values[lane * features + i] = (float) (scale * Float.intBitsToFloat(sources[lane][i]));
            }
        }
        return Nd4j.createFromArray(values).reshape('c', sources.length, features);
    }

    @Override
    public long bytesPerImage() {
        return Float.BYTES * 2L * (features + outputs);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .miniBatch(false)
                .list()
                .layer(new DenseLayer.Builder()
                        .nOut(outputs)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.TANH)
                        .build())
                .setInputType(InputType.feedForward(features))
                .build();
    }
}
