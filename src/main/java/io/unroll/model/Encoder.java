package io.unroll.model;

/** Reads the source of each lane; a decoder starts from its result. */
interface Encoder extends AutoCloseable {
    /** Encoder of a network whose lanes have no sources. */
    Encoder NONE = new Encoder() {};

    /**
     * Encodes the sources and sets the decoder's initial state or first step, and the head's sources.
     *
     * @param sources for each lane its tokens, pixels or features
     */
    default void encode(int[][] sources, boolean training, RecurrentStack decoder, Head head) {
        throw new IllegalStateException("the network has no encoder");
    }

    /**
     * Adds the gradient of the last {@link #encode} in training to the parameters' gradient, after the backward passes
     * of the head and the decoder.
     */
    default void backward(RecurrentStack decoder, Head head) {}

    /** Must be called after the parameters have changed. */
    default void parametersChanged() {}

    @Override
    default void close() {}
}
