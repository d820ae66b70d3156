package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.chunk.BatchSource;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.RecurrentState;
import io.unroll.task.Score;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.spark.broadcast.Broadcast;

/**
 * Evaluates a network on files or on a part of a prepared corpus, in one Spark task per shard. Scores do not depend
 * on the number of executors and cores.
 */
public final class Evaluation implements AutoCloseable {
    private final Session session;
    private final Settings settings;
    private final Scoring scoring;
    private final NetworkShape shape;
    private final List<Broadcast<?>> broadcasts = new ArrayList<>();
    private final Broadcast<float[]> parameters;

    private Evaluation(Session session, Settings settings, Scoring scoring, NetworkShape shape, float[] parameters) {
        this.session = session;
        this.settings = settings;
        this.scoring = scoring;
        this.shape = shape;
        this.parameters = broadcast(parameters);
    }

    /**
     * Evaluates a model on files.
     *
     * @param paths of files in the format of the training corpus
     * @param beam beam width for tasks that decode
     * @return the score; empty if the files contain nothing to predict
     */
    public static Optional<Score> ofFiles(Session session, TrainedModel model, List<String> paths, int beam)
            throws IOException {
        try (Evaluation evaluation = of(session, model, beam)) {
            return CorpusPreparation.of(session, model.settings(), model.task(), Optional.empty())
                    .evaluate(evaluation, model.vocabularies(), paths);
        }
    }

    /**
     * Evaluates a model on a part of the corpus that it was trained on.
     *
     * @param beam beam width for tasks that decode
     * @return the score; empty if the part is empty
     * @throws ConfigurationException if the content of the corpus has changed
     */
    public static Optional<Score> ofPart(Session session, TrainedModel model, Split.Part part, int beam)
            throws IOException {
        Optional<TrainedModel> warmStart = Optional.of(model)
                .filter(trained -> !trained.settings().training().startFrom().isBlank());
        PreparedCorpus corpus = CorpusPreparation.of(session, model.settings(), model.task(), warmStart)
                .prepare();
        if (!corpus.source().contentHash().equals(model.manifest().corpus())) {
            throw new ConfigurationException(
                    "corpus.path, " + model.settings().corpus().path()
                            + ", has changed since the model was trained: name the files to evaluate.");
        }
        try (Evaluation evaluation = of(session, model, beam)) {
            return evaluation.score(corpus.source(), part);
        }
    }

    private static Evaluation of(Session session, TrainedModel model, int beam) {
        Task task = model.task();
        return new Evaluation(
                session,
                model.settings(),
                (network, batch) -> task.scoreWithUnknowns(network, batch, beam),
                model.shape(),
                model.parameters());
    }

    /**
     * Removes the broadcasts from the executors and waits until that is done: if the session closed before, Spark would
     * log an error.
     */
    @Override
    public void close() {
        broadcasts.forEach(broadcast -> broadcast.destroy(true));
    }

    /** @return a broadcast that lives until this evaluation is closed */
    <T> Broadcast<T> broadcast(T value) {
        Broadcast<T> broadcast = session.broadcast(value);
        broadcasts.add(broadcast);
        return broadcast;
    }

    /** @return an evaluation that computes the loss only, which is fast */
    static Evaluation byLoss(Session session, Settings settings, NetworkShape shape, float[] parameters) {
        return new Evaluation(
                session, settings, (network, batch) -> new LossScore(network.evaluate(batch)), shape, parameters);
    }

    private record LossScore(Loss loss) implements Score {
        @Override
        public Score plus(Score other) {
            return new LossScore(loss.plus(other.loss()));
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            return Map.of("cross_entropy", loss.mean());
        }
    }

    /** Scores one batch; runs in the tasks. */
    interface Scoring extends Serializable {
        Score score(Network network, Batch batch);
    }

    /** @return the score of a part of a prepared corpus; empty if the part is empty */
    Optional<Score> score(BatchSource source, Split.Part part) {
        var hadoop = session.hadoopBroadcast();
        int steps = steps();
        return score(
                "validate",
                source.shards(part),
                shard -> source.evaluation(shard, steps, hadoop.value().value()));
    }

    /** @return time steps per batch of a text corpus */
    int steps() {
        return settings.training().tbptt();
    }

    /** Reads the batches of a task's input. */
    interface BatchReader<I> extends Serializable {
        /** @return batches to evaluate in order, starting from a zero state */
        List<Batch> read(I input) throws IOException;
    }

    /**
     * Scores each input in a separate task and sums the scores.
     *
     * @param description shown in Spark's web UI
     * @return the sum; empty if there is nothing to score
     */
    <I> Optional<Score> score(String description, List<I> inputs, BatchReader<I> reader) {
        if (inputs.isEmpty()) {
            return Optional.empty();
        }
        Broadcast<float[]> weights = parameters;
        Scoring batchScoring = scoring;
        NetworkShape networkShape = shape;
        return session
                .map(description, inputs, input -> {
                    List<Batch> batches = reader.read(input);
                    return ExecutorNetworks.use(
                            networkShape, network -> total(network, weights.value(), batchScoring, batches));
                })
                .stream()
                .filter(Objects::nonNull)
                .reduce(Score::plus);
    }

    /** @return null if there are no batches */
    private static Score total(Network network, float[] parameters, Scoring scoring, List<Batch> batches) {
        network.setParameters(parameters);
        network.setState(RecurrentState.ZERO);
        Score total = null;
        for (Batch batch : batches) {
            Score score = scoring.score(network, batch);
            total = total == null ? score : total.plus(score);
        }
        return total;
    }
}
