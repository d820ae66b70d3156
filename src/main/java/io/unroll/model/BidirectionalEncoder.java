package io.unroll.model;

import java.util.Arrays;
import org.apache.commons.lang3.ArrayUtils;

/**
 * Two encoders of the same source: the first reads it in the given order, the second in reverse (Schuster and Paliwal
 * 1997). The decoder starts from the last state of the first encoder. The state of a token is the sum of both encoders'
 * states.
 */
final class BidirectionalEncoder implements Encoder {
    private final TextEncoder first;
    private final TextEncoder second;

    BidirectionalEncoder(TextEncoder first, TextEncoder second) {
        this.first = first;
        this.second = second;
    }

    @Override
    public float[][] encode(int[][] sources, boolean training) {
        float[][] lastState = first.encode(sources, training);
        int[][] reversed = Arrays.stream(sources).map(int[]::clone).toArray(int[][]::new);
        Arrays.stream(reversed).forEach(ArrayUtils::reverse);
        second.encode(reversed, training);
        return lastState;
    }

    @Override
    public float[][] tokenStates() {
        float[][] states = second.reversed(second.tokenStates());
        for (int lane = 0; lane < states.length; lane++) {
            for (int i = 0; i < states[lane].length; i++) {
                states[lane][i] += first.tokenStates()[lane][i];
            }
        }
        return states;
    }

    @Override
    public void backward(float[][] lastStateGradient, float[][] tokenGradient) {
        first.backward(lastStateGradient, tokenGradient);
        float[][] zero = new float[lastStateGradient.length][lastStateGradient[0].length];
        second.backward(zero, second.reversed(tokenGradient));
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
