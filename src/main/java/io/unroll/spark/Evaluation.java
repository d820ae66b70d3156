package io.unroll.spark;

import io.unroll.checkpoint.Model;
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

/** How well a network does, on a part of a prepared corpus or on files; the same numbers on any cluster. */
public final class Evaluation implements AutoCloseable {
    private final Session session;
    private final Settings settings;
    private final Scoring scoring;
    private final NetworkShape shape;
    private final List<Broadcast<?>> held = new ArrayList<>();
    private final Broadcast<float[]> parameters;

    private Evaluation(Session session, Settings settings, Scoring scoring, NetworkShape shape, float[] parameters) {
        this.session = session;
        this.settings = settings;
        this.scoring = scoring;
        this.shape = shape;
        this.parameters = broadcast(parameters);
    }

    /** @return the score over files of the kind that the model was trained on; empty where they hold nothing to predict */
    public static Optional<Score> ofFiles(Session session, Model model, List<String> paths, int beam)
            throws IOException {
        try (Evaluation evaluation = of(session, model, beam)) {
            return Prepare.of(session, model.settings(), model.task(), Optional.empty())
                    .evaluate(evaluation, model.vocabularies(), paths);
        }
    }

    /** @return the score over a part of the corpus that the model was trained on; empty where it holds nothing */
    public static Optional<Score> ofPart(Session session, Model model, Split.Part part, int beam) throws IOException {
        Optional<Model> start = Optional.of(model)
                .filter(trained -> !trained.settings().training().startFrom().isBlank());
        PreparedCorpus corpus =
                Prepare.of(session, model.settings(), model.task(), start).prepare();
        if (!corpus.source().content().equals(model.manifest().corpus())) {
            throw new ConfigurationException(
                    "corpus.path, " + model.settings().corpus().path()
                            + ", has changed since the model was trained: give the texts to evaluate.");
        }
        try (Evaluation evaluation = of(session, model, beam)) {
            return evaluation.of(corpus.source(), part);
        }
    }

    private static Evaluation of(Session session, Model model, int beam) {
        Task task = model.task();
        return new Evaluation(
                session,
                model.settings(),
                (network, batch) -> task.counted(network, batch, beam),
                model.shape(),
                model.parameters());
    }

    /** Frees what the workers hold, and waits for it: Spark prints a trace where a session that ends comes in between. */
    @Override
    public void close() {
        held.forEach(each -> each.destroy(true));
    }

    /** @return what the workers hold until this evaluation is closed */
    <T> Broadcast<T> broadcast(T value) {
        Broadcast<T> broadcast = session.broadcast(value);
        held.add(broadcast);
        return broadcast;
    }

    /** @return by the loss alone, which is quick */
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

    interface Scoring extends Serializable {
        Score of(Network network, Batch batch);
    }

    /** @return the score over a part of a prepared corpus; empty where nothing is held out */
    Optional<Score> of(BatchSource source, Split.Part part) {
        var hadoop = session.hadoopBroadcast();
        int steps = steps();
        return sum(
                "validate",
                source.shards(part),
                shard -> source.evaluation(shard, steps, hadoop.value().value()));
    }

    /** @return steps of a batch of running text */
    int steps() {
        return settings.training().tbptt();
    }

    interface Reader<I> extends Serializable {
        /** @return batches to be evaluated one after the other, from a zero state */
        List<Batch> read(I input) throws IOException;
    }

    <I> Optional<Score> sum(String description, List<I> inputs, Reader<I> reader) {
        if (inputs.isEmpty()) {
            return Optional.empty();
        }
        Broadcast<float[]> weights = parameters;
        Scoring score = scoring;
        NetworkShape network = shape;
        return session
                .map(description, inputs, input -> {
                    List<Batch> batches = reader.read(input);
                    return ExecutorNetworks.use(network, each -> total(each, weights.value(), score, batches));
                })
                .stream()
                .filter(Objects::nonNull)
                .reduce(Score::plus);
    }

    private static Score total(Network network, float[] parameters, Scoring scoring, List<Batch> batches) {
        network.setParameters(parameters);
        network.setState(RecurrentState.ZERO);
        Score total = null;
        for (Batch batch : batches) {
            Score score = scoring.of(network, batch);
            total = total == null ? score : total.plus(score);
        }
        return total;
    }
}
