package io.unroll.model;

/** Reads the source of each lane and returns the state from which the decoder starts. */
interface Encoder extends AutoCloseable {
    /**
     * @param sources for each lane its tokens, pixels or features
     * @return the decoder's initial state, in the order of {@link RecurrentState}, or an image's embedding
     *     {@code [lanes, size]} if the decoder reads it in its first step
     */
    float[][] encode(int[][] sources, boolean training);

    /** @return the states of the last {@link #encode}, for each lane {@code [tokens, hidden]}, for attention */
    float[][] tokenStates();

    /**
     * Adds the gradient of the last {@link #encode} in training to the parameters' gradient.
     *
     * @param lastStateGradient gradient with respect to the result of {@link #encode}
     * @param tokenGradient gradient with respect to {@link #tokenStates}; null without attention
     */
    void backward(float[][] lastStateGradient, float[][] tokenGradient);

    /** Must be called after the parameters have changed. */
    void parametersChanged();

    @Override
    void close();
}
