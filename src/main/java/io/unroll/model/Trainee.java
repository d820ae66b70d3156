package io.unroll.model;

/** A network that the replicas of a round train: weights, optimizer, and a state that it carries between chunks. */
public interface Trainee extends AutoCloseable {
    /** @return a copy of all parameters */
    float[] parameters();

    void setParameters(float[] values);

    /** @return a copy of the optimizer's state; empty if the optimizer has none */
    float[] optimizerState();

    /** @param state empty for the initial state */
    void setOptimizerState(float[] state);

    /** @return a copy of the carried state; {@link RecurrentState#ZERO} before the first chunk */
    RecurrentState state();

    void setState(RecurrentState state);

    @Override
    void close();
}
