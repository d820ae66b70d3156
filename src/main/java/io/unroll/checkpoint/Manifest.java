package io.unroll.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.unroll.storage.JsonFile;
import java.io.Serializable;
import java.util.Map;

/**
 * What {@code manifest.json} in a model folder says about the training.
 *
 * @param corpus hash of the content of the training corpus
 * @param epochs completed epochs
 * @param rounds completed rounds
 * @param tokens number of tokens that all replicas together have trained on
 * @param trainingLoss loss of the last round, nats per token
 * @param validationLoss nats per token; null without a validation part
 * @param reference scores of held-out rows; null for other tasks than language models, without a held-out part, and in
 *     models of older versions
 */
public record Manifest(
        String corpus,
        int epochs,
        int rounds,
        long tokens,
        double trainingLoss,
        Double validationLoss,
        @JsonInclude(JsonInclude.Include.NON_NULL) Reference reference)
        implements Serializable {
    static final JsonFile<Manifest> FILE = file(Manifest.class);

    /** A manifest without a reference. */
    public Manifest(String corpus, int epochs, int rounds, long tokens, double trainingLoss, Double validationLoss) {
        this(corpus, epochs, rounds, tokens, trainingLoss, validationLoss, null);
    }

    private static <T> JsonFile<T> file(Class<T> type) {
        return new JsonFile<>("unroll-model", 1, type, 1 << 20);
    }

    /** The same file as it is written: one JSON object with the keys of both records. */
    record Written(@JsonUnwrapped Contents contents, @JsonUnwrapped Manifest training) {
        static final JsonFile<Written> FILE = file(Written.class);
    }

    /**
     * What the same file says about the other files in the folder.
     *
     * @param versions versions of Unroll, its libraries and Java, by name
     * @param seed seed of the run
     * @param vocabulary size of the vocabulary
     * @param parameters number of parameters of the network
     * @param symbols checksum of the vocabularies; null in models of older versions
     * @param weights checksum of the parameters; null in models of older versions
     */
    record Contents(
            Map<String, String> versions, long seed, int vocabulary, int parameters, Long symbols, Long weights) {
        static final JsonFile<Contents> FILE = file(Contents.class);
    }
}
