package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Prompt;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.io.OutputStream;

/**
 * What a user keeps.
 *
 * @param parameters in Deeplearning4j's flat order
 * @param optimizerState as {@link Network#optimizerState} gives it; empty in a model read from its folder
 */
public record Model(
        Manifest manifest, Settings settings, Vocabularies vocabularies, float[] parameters, float[] optimizerState) {
    /** @return the same for rows that lie elsewhere or otherwise */
    public Model with(Settings other) {
        return new Model(manifest, other, vocabularies, parameters, optimizerState);
    }

    public Task task() {
        return Task.of(settings);
    }

    /** @return the shape for use, not for training: one thread, whatever the machine */
    public NetworkShape shape() {
        return task().network(vocabularies).withThreads(1);
    }

    /** @return the trained network, at the start of a text */
    public Network network() {
        Network network = new Network(shape());
        network.setParameters(parameters);
        return network;
    }

    /**
     * Writes the answer to the prompt, as it comes.
     *
     * @return tokens that are written
     */
    public int answer(Prompt prompt, OutputStream out) throws IOException {
        try (Network network = network()) {
            return task().answer(network, vocabularies, prompt, out);
        }
    }
}
