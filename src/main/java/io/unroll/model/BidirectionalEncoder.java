package io.unroll.model;

import java.util.Arrays;
import org.apache.commons.lang3.ArrayUtils;

/**
 * Two encoders of the same source: the first reads it in the given order, the second in reverse (Schuster and Paliwal
 * 1997). The decoder starts from the last state of the first encoder. The state of a token is the sum of both encoders'
 * states.
 */
record BidirectionalEncoder(TextEncoder first, TextEncoder second) implements Encoder {
    @Override
    public void encode(int[][] sources, boolean training, RecurrentStack decoder, Head head) {
        first.encode(sources, training, decoder, head);
        int[][] reversed = Arrays.stream(sources).map(int[]::clone).toArray(int[][]::new);
        Arrays.stream(reversed).forEach(ArrayUtils::reverse);
        second.read(reversed, training);
        head.setSources(sumOfTokenStates());
    }

    private float[][] sumOfTokenStates() {
        float[][] states = second.reversed(second.tokenStates());
        for (int lane = 0; lane < states.length; lane++) {
            for (int i = 0; i < states[lane].length; i++) {
                states[lane][i] += first.tokenStates()[lane][i];
            }
        }
        return states;
    }

    @Override
    public void backward(RecurrentStack decoder, Head head) {
        first.backward(decoder, head);
        second.backward(RecurrentState.ZERO, second.reversed(head.sourceGradient()));
    }

    @Override
    public void parametersChanged() {
        first.parametersChanged();
        second.parametersChanged();
    }

    @Override
    public void close() {
        first.close();
        second.close();
    }
}
