package io.unroll.model;

import java.util.Arrays;
import org.apache.commons.lang3.ArrayUtils;

/**
 * Two encoders over one source, of which the first reads it as it is given, and the second from its last token to its
 * first (Schuster and Paliwal 1997). The first one's last state starts the decoder; of each token, both states are
 * added.
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
        float[][] last = first.encode(sources, training);
        int[][] turned = Arrays.stream(sources).map(int[]::clone).toArray(int[][]::new);
        Arrays.stream(turned).forEach(ArrayUtils::reverse);
        second.encode(turned, training);
        return last;
    }

    @Override
    public float[][] states() {
        float[][] states = second.turned(second.states());
        for (int lane = 0; lane < states.length; lane++) {
            for (int i = 0; i < states[lane].length; i++) {
                states[lane][i] += first.states()[lane][i];
            }
        }
        return states;
    }

    @Override
    public void backward(float[][] gradient, float[][] states) {
        first.backward(gradient, states);
        second.backward(new float[gradient.length][gradient[0].length], second.turned(states));
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
