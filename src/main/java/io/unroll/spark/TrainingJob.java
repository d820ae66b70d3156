package io.unroll.spark;

import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.Versions;
import io.unroll.chunk.Plan;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.ReplicaMemory;
import io.unroll.task.Task;
import io.unroll.train.Averaging;
import io.unroll.train.Progress;
import io.unroll.train.ReplicaResult;
import io.unroll.train.Round;
import io.unroll.train.Snapshot;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.broadcast.Broadcast;

/** A run on the driver: prepare, plan, then rounds of training and averaging, then the model. */
public final class TrainingJob {
    private final Session session;
    private final Settings settings;
    private final Progress progress;
    private final ModelFolder folder;

    private PreparedCorpus corpus;
    private Split split;
    private NetworkShape shape;
    private Plan plan;
    private final Clock clock = new Clock();

    public TrainingJob(Session session, Settings settings, Progress progress) {
        this.session = session;
        this.settings = settings;
        this.progress = progress;
        this.folder = new ModelFolder(modelPath(settings), session.hadoop());
    }

    public static String modelPath(Settings settings) {
        return new Path(settings.run().directory(), "model").toString();
    }

    /** A snapshot, and how good it is; validation is null where there is no validation part. */
    private record State(Snapshot snapshot, double trainingLoss, Loss validation) {
        boolean betterThan(State other) {
            return other.validation == null || validation.mean() < other.validation.mean();
        }
    }

    /** @return the model, as it was published */
    public Model run() throws IOException {
        folder.checkFree(settings.run().overwrite());
        folder.checkWritable();
        prepare();
        plan();
        State last = new State(initial(), Double.NaN, null);
        State best = last;
        int bestEpoch = 0;
        while (last.snapshot.epoch() < settings.training().epochs()) {
            last = round(last);
            if (last.validation != null && last.snapshot.chunk() == 0 && last.betterThan(best)) {
                best = last;
                bestEpoch = last.snapshot.epoch();
            }
            int patience = settings.training().earlyStopping();
            if (patience > 0 && last.snapshot.epoch() - bestEpoch >= patience) {
                break;
            }
        }
        return publish(
                settings.training().earlyStopping() > 0 ? best : last,
                folder,
                settings.run().overwrite());
    }

    private void prepare() throws IOException {
        corpus = new Prepare(session, settings.corpus(), Prepare.SLICE_BYTES).prepare();
        split = corpus.split(settings.corpus());
        shape = Task.of(settings.task()).network(settings, corpus.vocabulary());
        progress.prepared(
                corpus.folder(), corpus.index().tokens(), corpus.vocabulary().size(), corpus.found());
    }

    private void plan() {
        plan = Plan.of(
                split.trainingEnd(),
                settings.cluster().replicas(),
                settings.training().batch(),
                settings.training().tbptt());
        long validation = split.validationEnd() - split.trainingEnd();
        if (settings.corpus().validation() > 0 && validation < 2) {
            throw new ConfigurationException("corpus.validation = "
                    + settings.corpus().validation() + " leaves " + validation + " of " + split.tokens()
                    + " tokens for validation, which needs 2: raise it, or set it to 0.");
        }
        progress.planned(plan, split.trainingEnd(), validation);
    }

    /** Says what a replica takes before any is made. */
    private Snapshot initial() {
        Settings.Model model = shape.model();
        long replicaBytes = ReplicaMemory.bytes(shape, plan.batch(), plan.tbptt());
        progress.network(
                shape.parameters(),
                replicaBytes,
                model.precision() == Settings.Precision.BFLOAT16 && !Network.computesInBfloat16(model));
        session.checkMemory(
                replicaBytes, shape.weightBytes(), settings.cluster().replicas());
        try (Network network = new Network(shape, settings.run().seed())) {
            return Snapshot.initial(
                    network.parameters(),
                    network.optimizerState(),
                    settings.cluster().replicas());
        }
    }

    private State round(State before) {
        Round round = Round.following(before.snapshot, plan, settings.cluster().averaging());
        clock.roundStarts();
        List<ReplicaResult> results = trainReplicas(round, before.snapshot);
        for (ReplicaResult result : results) {
            if (result.divergence() != null) {
                String where = "replica " + result.replica() + ", at learning rate " + result.learningRate();
                throw diverged(round, where + ": " + result.divergence(), before);
            }
        }
        Snapshot snapshot = before.snapshot.after(round, Averaging.mean(results), results);
        Loss trained = results.stream().map(ReplicaResult::loss).reduce(Loss.NONE, Loss::plus);
        clock.roundEnds(trained.tokens());
        boolean validates = round.endsEpoch() && split.validationEnd() > split.trainingEnd();
        Loss validation = validates ? validate(snapshot) : before.validation;
        if (validates && !Double.isFinite(validation.mean())) {
            String where = "at learning rate " + results.get(0).learningRate();
            throw diverged(round, where + ": the validation loss is " + validation.mean(), before);
        }
        progress.round(new Progress.Report(
                snapshot.round(),
                rounds(),
                round.epoch() + 1,
                trained.mean(),
                validates ? validation.mean() : Double.NaN,
                clock.tokensPerSecond(),
                clock.secondsLeft(snapshot.tokens(), totalTokens())));
        return new State(snapshot, trained.mean(), validation);
    }

    private List<ReplicaResult> trainReplicas(Round round, Snapshot snapshot) {
        Broadcast<Snapshot.Weights> weights = session.broadcast(snapshot.weights());
        TrainReplica task = new TrainReplica(
                round, weights, plan, settings, shape, corpus.folder(), corpus.index(), session.hadoopBroadcast());
        List<TrainReplica.Input> inputs = IntStream.range(0, settings.cluster().replicas())
                .mapToObj(replica ->
                        new TrainReplica.Input(replica, snapshot.states().get(replica)))
                .toList();
        List<ReplicaResult> results =
                session.map("round " + (round.number() + 1) + " of " + rounds() + ": train", inputs, task);
        weights.destroy();
        return results;
    }

    private UnrollException diverged(Round round, String what, State lastGood) {
        String kept = "no round was good before it";
        if (lastGood.snapshot.round() > 0) {
            String path = new Path(settings.run().directory(), "last-good").toString();
            publish(lastGood, new ModelFolder(path, session.hadoop()), true);
            kept = "the model after round " + lastGood.snapshot.round() + " is kept in " + path;
        }
        return new UnrollException("training diverged in round " + (round.number() + 1) + ", " + what + "; " + kept
                + ". Lower training.learning-rate, or set a smaller training.clip-norm.");
    }

    private Loss validate(Snapshot snapshot) {
        return Evaluation.ofTokens(
                session,
                settings,
                shape,
                snapshot.weights().parameters(),
                corpus,
                split.trainingEnd(),
                split.validationEnd());
    }

    private Model publish(State state, ModelFolder target, boolean overwrite) {
        Snapshot snapshot = state.snapshot;
        Manifest manifest = new Manifest(
                Versions.all(),
                settings.run().seed(),
                corpus.index().corpus(),
                corpus.vocabulary().size(),
                snapshot.weights().parameters().length,
                snapshot.epoch(),
                snapshot.round(),
                snapshot.tokens(),
                state.trainingLoss,
                state.validation == null ? null : state.validation.mean());
        Model model = new Model(
                manifest,
                settings,
                corpus.vocabulary(),
                snapshot.weights().parameters(),
                snapshot.weights().optimizerState());
        target.write(model, overwrite);
        return model;
    }

    private long rounds() {
        int every = settings.cluster().averaging().everyChunks();
        long perEpoch = every == Settings.Averaging.EPOCH ? 1 : (plan.chunks() + every - 1) / every;
        return perEpoch * settings.training().epochs();
    }

    private long totalTokens() {
        return plan.laneSteps()
                * plan.replicas()
                * plan.batch()
                * settings.training().epochs();
    }

    /** Wall time, for people only: nothing that is computed depends on it. */
    private static final class Clock {
        private long start;
        private long roundStart;
        private double tokensPerSecond;

        void roundStarts() {
            roundStart = System.nanoTime();
            start = start == 0 ? roundStart : start;
        }

        void roundEnds(long tokens) {
            tokensPerSecond = tokens * 1e9 / (System.nanoTime() - roundStart);
        }

        double tokensPerSecond() {
            return tokensPerSecond;
        }

        double secondsLeft(long done, long total) {
            return (System.nanoTime() - start) / 1e9 * (total - done) / done;
        }
    }
}
