package io.unroll.train;

import io.unroll.model.NetworkShape;
import java.util.Locale;

/**
 * What losses are measured by: that of a model which gives all V outputs the same probability, {@code ln V} nats, be they
 * tokens or labels.
 *
 * <ul>
 *   <li>A model whose loss is above it has learnt less than nothing, which is said, and is no failure: it may have been
 *       trained for a step only, or learnt its training part by heart.
 *   <li>A loss that is also above ten times as much and above 20 nats is absurd: it takes a model which gives what comes
 *       next a probability below e<sup>-20</sup> in the mean over a round, which happens where weights have grown without
 *       bound. Training has diverged, though every number is finite. Networks start near {@code ln V}; confident ones that
 *       are wrong, as after a warm start on other labels, stay below.
 * </ul>
 */
public record UniformLoss(double nats) {
    private static final double ABSURD = 10;
    private static final double LEAST_ABSURD = 20;

    public static UniformLoss of(NetworkShape shape) {
        return new UniformLoss(Math.log(shape.outputs()));
    }

    public boolean isBelow(double loss) {
        return loss > nats;
    }

    /** @return whether training has diverged where it leads to such a loss, in nats per token */
    public boolean isAbsurd(double loss) {
        return !(loss <= Math.max(ABSURD * nats, LEAST_ABSURD));
    }

    /** @return the loss beside this one, for a message */
    public String compare(double loss) {
        return String.format(Locale.ROOT, "%.4g nats, where equal probabilities for all outputs have %.4g", loss, nats);
    }
}
