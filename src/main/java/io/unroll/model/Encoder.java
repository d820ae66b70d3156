package io.unroll.model;

/** What reads a lane's source, and leaves the state from which the lane starts. */
interface Encoder extends AutoCloseable {
    /**
     * @param sources of each lane
     * @return in the order of {@link RecurrentState}
     */
    float[][] encode(int[][] sources, boolean training);

    /** @return of the last {@link #encode}: of each lane, what can be attended to of its tokens, row by row {@code [tokens, hidden]} */
    float[][] states();

    /**
     * Of the last {@link #encode} in training; adds to the parameters' gradient.
     *
     * @param gradient with respect to what it gave
     * @param states gradient with respect to {@link #states}; null where nobody has seen them
     */
    void backward(float[][] gradient, float[][] states);

    /** The parameters have changed. */
    void parametersChanged();

    @Override
    void close();
}
