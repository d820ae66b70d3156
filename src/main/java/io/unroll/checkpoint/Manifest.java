package io.unroll.checkpoint;

import io.unroll.text.JsonFile;
import java.util.Map;

/**
 * The content of {@code manifest.json} in a model folder.
 *
 * @param versions versions of Unroll, its libraries and Java, by name
 * @param seed seed of the run
 * @param corpus hash of the content of the training corpus
 * @param vocabulary size of the vocabulary
 * @param parameters number of parameters of the network
 * @param epochs completed epochs
 * @param rounds completed rounds
 * @param tokens number of tokens that all replicas together have trained on
 * @param trainingLoss loss of the last round, nats per token
 * @param validationLoss nats per token; null without a validation part
 * @param symbols checksum of the vocabularies; null in models of older versions
 * @param weights checksum of the parameters; null in models of older versions
 */
public record Manifest(
        Map<String, String> versions,
        long seed,
        String corpus,
        int vocabulary,
        int parameters,
        int epochs,
        int rounds,
        long tokens,
        double trainingLoss,
        Double validationLoss,
        Long symbols,
        Long weights) {
    static final JsonFile<Manifest> FILE = new JsonFile<>("unroll-model", 1, Manifest.class, 1 << 20);
}
