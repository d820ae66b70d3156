package io.unroll.model;

import java.io.Serializable;

/**
 * A sum of cross-entropies over predicted tokens.
 *
 * @param sum in nats
 * @param tokens number of predicted tokens
 */
public record Loss(double sum, long tokens) implements Serializable {
    public static final Loss ZERO = new Loss(0, 0);

    public Loss plus(Loss other) {
        return new Loss(sum + other.sum, tokens + other.tokens);
    }

    /** @return nats per token; NaN without tokens */
    public double mean() {
        return sum / tokens;
    }
}
