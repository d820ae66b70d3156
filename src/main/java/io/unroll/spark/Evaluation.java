package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Batch;
import io.unroll.chunk.BatchSource;
import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
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
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
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
    private final Broadcast<float[]> parameters;

    private Evaluation(Session session, Settings settings, Scoring scoring, NetworkShape shape, float[] parameters) {
        this.session = session;
        this.settings = settings;
        this.scoring = scoring;
        this.shape = shape;
        this.parameters = session.broadcast(parameters);
    }

    /**
     * Evaluates a model on files, or on a table or the result of a query.
     *
     * @param paths of files in the format of the training corpus; none for the table or query of the model's settings
     * @param beam beam width for tasks that decode
     * @return the score; empty if there is nothing to predict
     */
    public static Optional<Score> of(Session session, TrainedModel model, List<String> paths, int beam)
            throws IOException {
        try (Evaluation evaluation = of(session, model, beam)) {
            Settings settings = SettingsReader.override(model.settings(), CorpusPreparation.ONLY_FOR_TRAINING);
            EvaluationSource source = CorpusPreparation.of(session, settings, model.task(), Optional.empty())
                    .evaluationSource(
                            paths, model.vocabularies(), settings.training().tbptt());
            return evaluation.score("evaluate", source);
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
            throw new ConfigurationException(model.settings().corpus().source()
                    + " has changed since the model was trained: name the files to evaluate.");
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
     * Removes the broadcast weights from the executors and waits until that is done: if the session closed before, Spark would
     * log an error.
     */
    @Override
    public void close() {
        parameters.destroy(true);
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
        Settings.Training training = settings.training();
        JavaRDD<List<Batch>> batches = session.parallelize(source.shards(part))
                .map(shard -> source.evaluation(shard, training, hadoop.value().value()));
        return score("validate", new EvaluationSource(batches, null));
    }

    /**
     * Scores each list of batches, starting from a zero state, and sums the scores.
     *
     * @param description shown in Spark's web UI
     * @return the sum; empty if there is nothing to score
     */
    Optional<Score> score(String description, EvaluationSource source) {
        Broadcast<float[]> weights = parameters;
        Scoring batchScoring = scoring;
        NetworkShape networkShape = shape;
        Optional<Score> total = session
                .mapPartitions(
                        description,
                        source.batches(),
                        lists -> IdlePool.use(
                                networkShape,
                                () -> new Network(networkShape),
                                network -> total(network, weights.value(), batchScoring, lists)))
                .stream()
                .flatMap(List::stream)
                .reduce(Score::plus);
        return source.skipped() == null ? total : total.map(score -> new ScoreWithSkipped(score, source.skipped()));
    }

    /** @return the score of each list that has batches */
    private static List<Score> total(
            Network network, float[] parameters, Scoring scoring, Iterator<List<Batch>> lists) {
        network.setParameters(parameters);
        List<Score> scores = new ArrayList<>();
        while (lists.hasNext()) {
            network.setState(RecurrentState.ZERO);
            lists.next().stream()
                    .map(batch -> scoring.score(network, batch))
                    .reduce(Score::plus)
                    .ifPresent(scores::add);
        }
        return scores;
    }

    /** @param skipped number of malformed rows by reason */
    private record ScoreWithSkipped(Score score, Map<String, Long> skipped) implements Score {
        @Override
        public Loss loss() {
            return score.loss();
        }

        @Override
        public Score plus(Score other) {
            throw new UnsupportedOperationException("it is the total");
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            Map<String, Object> metrics = new LinkedHashMap<>();
            metrics.put("skipped", CorpusSize.sum(skipped));
            if (!skipped.isEmpty()) {
                metrics.put("skipped_by_reason", skipped);
            }
            metrics.putAll(score.metrics(vocabularies));
            return metrics;
        }
    }
}
