package io.unroll.model;

import java.io.Serializable;

/**
 * What a network remembers between chunks.
 *
 * @param arrays for each layer its hidden state and, for an LSTM, its cell state, {@code [lanes, hidden]} row by
 *     row; none at the start of a text, where the state is zero
 */
public record RecurrentState(float[]... arrays) implements Serializable {
    public static final RecurrentState ZERO = new RecurrentState();

    public long size() {
        long size = 0;
        for (float[] array : arrays) {
            size += array.length;
        }
        return size;
    }
}
