package io.unroll.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A network that turns what is known of an image into what a recurrent network starts from. */
public sealed interface ImageShape extends EncoderShape permits PixelShape, FeatureShape {
    /** Where a recurrent network takes the image in (Tanti et al. 2018). */
    enum Place {
        /** As the state from which all layers start. */
        INITIAL_STATE,
        /** As what the lowest layer reads in a first step. */
        FIRST_STEP
    }

    /** @return numbers that it gives */
    int outputs();

    /** @return what they become */
    Place place();

    /** @return the network's input, a row for each image */
    INDArray input(int[][] sources);

    /** @return bytes that an image takes in a step of training */
    long bytesOfAnImage();

    @Override
    default int parameters() {
        return ParameterOrder.checked(configuration(UNUSED_SEED).getConfs().stream()
                .mapToLong(each -> each.getLayer().initializer().numParams(each))
                .sum());
    }
}
