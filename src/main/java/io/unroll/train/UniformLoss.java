package io.unroll.train;

import io.unroll.model.NetworkShape;
import java.util.Locale;

/**
 * The loss of a uniform distribution over the V outputs (tokens or labels), {@code ln V} nats: a baseline for other
 * losses.
 *
 * <ul>
 *   <li>A loss above it is only a warning: the model may be at the start of its training, or may overfit.
 *   <li>A loss above ten times {@code ln V} and above 20 nats means that the training has diverged, even if every
 *       number is finite: the geometric mean of the probability of the targets is below e<sup>-20</sup>, because the
 *       weights have grown without bound. Untrained networks have a loss near {@code ln V}; the loss of networks that
 *       are confident and wrong, for example after a warm start on other labels, stays below 20 nats.
 * </ul>
 */
public record UniformLoss(double nats) {
    private static final double DIVERGED_FACTOR = 10;
    private static final double MIN_DIVERGED_NATS = 20;

    public static UniformLoss of(NetworkShape shape) {
        return new UniformLoss(Math.log(shape.outputs()));
    }

    public boolean isExceededBy(double loss) {
        return loss > nats;
    }

    /** @return whether a loss in nats per token shows that the training has diverged */
    public boolean isDiverged(double loss) {
        return !(loss <= Math.max(DIVERGED_FACTOR * nats, MIN_DIVERGED_NATS));
    }

    /** @return a loss compared with this one, for a message */
    public String describe(double loss) {
        return String.format(Locale.ROOT, "%.4g nats (a uniform distribution has %.4g)", loss, nats);
    }
}
