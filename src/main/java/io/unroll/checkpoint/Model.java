package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabulary;

/**
 * What a user keeps.
 *
 * @param parameters in Deeplearning4j's flat order
 * @param optimizerState as {@link Network#optimizerState} gives it; empty in a model read from its folder
 */
public record Model(
        Manifest manifest, Settings settings, Vocabulary vocabulary, float[] parameters, float[] optimizerState) {
    public Task task() {
        return Task.of(settings.task());
    }

    public Tokenizer tokenizer() {
        return Tokenizer.of(settings.corpus());
    }

    /** @return the shape for use, not for training: one thread, whatever the machine */
    public NetworkShape shape() {
        NetworkShape trained = task().network(settings, vocabulary);
        return new NetworkShape(trained.model(), trained.vocabulary(), trained.optimizer(), 1);
    }

    /** @return the trained network, at the start of a text */
    public Network network() {
        Network network = new Network(shape(), settings.run().seed());
        network.setParameters(parameters);
        return network;
    }
}
