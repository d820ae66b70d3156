package io.unroll.model;

import java.io.Serializable;

/**
 * A sum of cross-entropies.
 *
 * @param sum nats
 * @param tokens predicted tokens that it is the sum over
 */
public record Loss(double sum, long tokens) implements Serializable {
    public static final Loss NONE = new Loss(0, 0);

    public Loss plus(Loss other) {
        return new Loss(sum + other.sum, tokens + other.tokens);
    }

    /** @return nats per token; NaN over no tokens */
    public double mean() {
        return sum / tokens;
    }
}
