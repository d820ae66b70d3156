package io.unroll.checkpoint;

import io.unroll.text.JsonFile;
import java.util.Map;

/**
 * What a model folder says of itself.
 *
 * @param corpus hash of the content of the corpus that it was trained on
 * @param parameters how many numbers the network learns
 * @param epochs epochs behind these weights
 * @param tokens tokens trained on, over all replicas
 * @param trainingLoss of the last round, nats per token
 * @param validationLoss nats per token; null where there is no validation part
 * @param symbols checksum of the vocabularies; null in models that were written before it was stored
 * @param weights checksum of the parameters; null likewise
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
