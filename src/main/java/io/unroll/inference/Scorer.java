package io.unroll.inference;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings.Pooling;
import io.unroll.model.Network;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;

/**
 * A model in plain Java, without Spark: scores, labels, target texts and vectors of separate texts, with the same values
 * as the commands {@code score}, {@code predict} and {@code embed}. It applies no threshold, and reads neither documents of
 * several rows nor images. It is thread-safe. Lists are faster than one text at a time.
 */
public final class Scorer implements AutoCloseable {
    private final TextInference inference;
    private final Deque<Network> idle = new ConcurrentLinkedDeque<>();

    private Scorer(TrainedModel model) {
        this.inference = new TextInference(model);
    }

    /**
     * @param folder a model folder or the directory of a run
     * @throws io.unroll.config.UnrollException if it has no model, or the model is damaged
     */
    public static Scorer load(String folder) {
        return new Scorer(new ModelFolder(folder, new Configuration()).read());
    }

    /** @throws io.unroll.config.ConfigurationException if the model is not a language model */
    public TextScore score(String text) {
        return score(Collections.singletonList(text)).get(0);
    }

    /**
     * Scores texts with the surprisal of each token; a text may be null.
     *
     * @throws io.unroll.config.ConfigurationException if the model is not a language model
     */
    public List<TextScore> score(List<String> texts) {
        inference.languageModel();
        return use(network -> inference.score(network, texts, true));
    }

    /** @throws io.unroll.config.ConfigurationException if the model predicts neither labels nor target texts */
    public TextPrediction predict(String text) {
        return predict(Collections.singletonList(text), 1).get(0);
    }

    /**
     * @param beam width of the beam search; 1 is greedy decoding
     * @throws io.unroll.config.ConfigurationException if the model predicts neither labels nor target texts
     */
    public List<TextPrediction> predict(List<String> texts, int beam) {
        return use(network -> inference.predict(network, texts, beam));
    }

    /** @throws io.unroll.config.ConfigurationException as for a list of texts */
    public TextVector embed(String text, Pooling pooling) {
        return embed(Collections.singletonList(text), pooling).get(0);
    }

    /**
     * Reduces texts to vectors: the mean, maximum or last one of the hidden states of the last recurrent layer.
     *
     * @throws io.unroll.config.ConfigurationException if the model reads no text, or is a seq2seq model and the
     *     pooling is not {@code LAST}
     */
    public List<TextVector> embed(List<String> texts, Pooling pooling) {
        return use(network -> inference.embed(network, texts, pooling));
    }

    private <T> T use(Function<Network, T> use) {
        Network network = idle.poll();
        network = network == null ? inference.network() : network;
        T result;
        try {
            result = use.apply(network);
        } catch (Throwable e) {
            network.close();
            throw e;
        }
        idle.push(network);
        return result;
    }

    /** Frees the memory of the networks outside the Java heap. No other thread may use this object any more. */
    @Override
    public void close() {
        while (!idle.isEmpty()) {
            idle.pop().close();
        }
    }
}
