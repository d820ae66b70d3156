package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Prompt;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;

/**
 * A trained model: everything that its folder contains, in memory.
 *
 * @param parameters all parameters, in Deeplearning4j's flat order
 * @param optimizerState state of the optimizer, in the order of {@link Network#optimizerState}; empty in a model that
 *     was read from its folder
 */
public record TrainedModel(
        Manifest manifest, Settings settings, Vocabularies vocabularies, float[] parameters, float[] optimizerState)
        implements Serializable {
    /** @return a copy with other settings, such as the path and format of the rows to evaluate */
    public TrainedModel withSettings(Settings newSettings) {
        return new TrainedModel(manifest, newSettings, vocabularies, parameters, optimizerState);
    }

    /** @return a copy whose manifest has a reference */
    public TrainedModel withReference(Reference reference) {
        Manifest referenced = new Manifest(
                manifest.corpus(),
                manifest.epochs(),
                manifest.rounds(),
                manifest.tokens(),
                manifest.trainingLoss(),
                manifest.validationLoss(),
                reference);
        return new TrainedModel(referenced, settings, vocabularies, parameters, optimizerState);
    }

    public Task task() {
        return Task.of(settings);
    }

    /** @return the shape of the network for inference, with one thread */
    public NetworkShape shape() {
        return task().network(vocabularies).withThreads(1);
    }

    /** @return a new network with the trained parameters and zero state; the caller closes it */
    public Network network() {
        Network network = new Network(shape());
        network.setParameters(parameters);
        return network;
    }

    /**
     * Writes the answer to a prompt, each token as soon as it is generated.
     *
     * @return number of tokens written
     */
    public int answer(Prompt prompt, OutputStream out) throws IOException {
        try (Network network = network()) {
            return task().answer(network, vocabularies, prompt, out);
        }
    }
}
