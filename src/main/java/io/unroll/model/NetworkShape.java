package io.unroll.model;

import io.unroll.config.Settings;
import java.io.Serializable;

/** All that decides a network's arrays and arithmetic, but not its weights. */
public record NetworkShape(Settings.Model model, int vocabulary, Settings.Optimizer optimizer, int threads)
        implements Serializable {
    /** @throws io.unroll.config.ConfigurationException where there would be too many for one array */
    public int parameters() {
        return order().total();
    }

    /** @return numbers that the optimizer remembers */
    public int optimizerSize() {
        return new Optimizer(optimizer, parameters()).stateSize();
    }

    /** @return bytes of the parameters and of the optimizer's state */
    public long weightBytes() {
        return Float.BYTES * ((long) parameters() + optimizerSize());
    }

    ParameterOrder order() {
        return new ParameterOrder(this, Configurations.of(this, 0));
    }
}
