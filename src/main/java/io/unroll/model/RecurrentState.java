package io.unroll.model;

import java.io.Serializable;
import java.util.Arrays;

/**
 * The state that a recurrent network carries from one chunk to the next.
 *
 * @param arrays for each layer its hidden state and, for an LSTM, its cell state, each {@code [lanes, hidden]} row by
 *     row; never changed; empty for the zero state at the start of a text
 */
public record RecurrentState(float[]... arrays) implements Serializable {
    public static final RecurrentState ZERO = new RecurrentState();

    /** @return how many numbers all arrays have together */
    public long size() {
        return Arrays.stream(arrays).mapToLong(array -> array.length).sum();
    }
}
