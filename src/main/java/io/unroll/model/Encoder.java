package io.unroll.model;

/** What reads a lane's source, and leaves the state from which the lane starts. */
interface Encoder extends AutoCloseable {
    /**
     * @param sources of each lane
     * @return in the order of {@link RecurrentState}
     */
    float[][] encode(int[][] sources, boolean training);

    /**
     * Of the last {@link #encode} in training; adds to the parameters' gradient.
     *
     * @param gradient with respect to what it gave
     */
    void backward(float[][] gradient);

    /** The parameters have changed. */
    void parametersChanged();

    @Override
    void close();
}
