package io.unroll.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The shape of an image encoder, from whose outputs a recurrent network starts. */
public sealed interface ImageShape extends EncoderShape permits PixelShape, FeatureShape {
    /** Where the encoder's outputs enter the recurrent network (Tanti et al. 2018). */
    enum Place {
        /** As the initial state of all layers. */
        INITIAL_STATE,
        /** As the lowest layer's input in an additional first step. */
        FIRST_STEP
    }

    /** @return number of outputs for an image */
    int outputs();

    /** @return where the outputs enter the recurrent network */
    Place place();

    /**
     * Returns the network's input, with one row for each image.
     *
     * @param sources pixels or features of each image
     */
    INDArray input(int[][] sources);

    /** @return bytes of memory for each image in a training step */
    long bytesPerImage();

    @Override
    default int parameters() {
        return ParameterOrder.checkedCount(configuration(UNUSED_SEED).getConfs().stream()
                .mapToLong(layer -> layer.getLayer().initializer().numParams(layer))
                .sum());
    }
}
