package io.unroll.train;

import io.unroll.model.NetworkShape;
import java.util.Locale;

/**
 * The loss of a uniform distribution over the V outputs (tokens or labels), {@code ln V} nats, as a baseline for other
 * losses.
 *
 * <ul>
 *   <li>A higher loss is reported as a warning, not as a failure: the model may have been trained for one step only, or
 *       may overfit.
 *   <li>A loss that is also above ten times as much and above 20 nats is absurd: it takes a model which gives what
 *       comes
 *       next a probability below e<sup>-20</sup> in the mean over a round, which happens where weights have grown
 *       without
 *       bound. Training has diverged, though every number is finite. Networks start near {@code ln V}; confident ones
 *       that
 *       are wrong, as after a warm start on other labels, stay below.
 * </ul>
 */
public record UniformLoss(double nats) {
    private static final double ABSURD = 10;
    private static final double MIN_DIVERGED_NATS = 20;

    public static UniformLoss of(NetworkShape shape) {
        return new UniformLoss(Math.log(shape.outputs()));
    }

    public boolean isBelow(double loss) {
        return loss > nats;
    }

    /** @return whether training has diverged where it leads to such a loss, in nats per token */
    public boolean isAbsurd(double loss) {
        return !(loss <= Math.max(ABSURD * nats, MIN_DIVERGED_NATS));
    }

    /** @return the loss beside this one, for a message */
    public String compare(double loss) {
        return String.format(Locale.ROOT, "%.4g nats (that of a uniform distribution is %.4g)", loss, nats);
    }
}
