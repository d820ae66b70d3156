package io.unroll.spark;

import io.unroll.checkpoint.Checkpoints;
import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.MetricsFile;
import io.unroll.checkpoint.Model;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.RunDirectory;
import io.unroll.checkpoint.RunJournal;
import io.unroll.checkpoint.Versions;
import io.unroll.chunk.Plan;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.ReplicaMemory;
import io.unroll.task.Task;
import io.unroll.train.FloatArray;
import io.unroll.train.Progress;
import io.unroll.train.ReplicaResult;
import io.unroll.train.Round;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.UniformLoss;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A run on the driver: prepare, plan, then rounds of training and averaging, then the model. */
public final class TrainingJob {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingJob.class);

    private final Session session;
    private final Settings settings;
    private final Progress progress;
    private final Task task;
    private final Prepare prepare;
    private final RunDirectory directory;
    private final ModelFolder folder;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;
    /** Where training starts from, if not from random weights, until it has started. */
    private Optional<Model> start;
    /** The model, where an earlier attempt has come to the end; null otherwise. */
    private final Model finished;
    /** What is there is replaced: it is told so, or only half a model. */
    private final boolean replaces;
    /** There is a whole model, and another is asked for. */
    private final boolean trainsAnew;

    private PreparedCorpus corpus;
    private NetworkShape shape;
    private Plan plan;
    private RoundJob rounds;
    private RunJournal journal;
    private volatile RunState last;
    private volatile boolean interrupted;

    private TrainingJob(Session session, Settings settings, Progress progress, RunDirectory directory) {
        this.session = session;
        this.settings = settings;
        this.progress = progress;
        this.task = Task.of(settings);
        this.directory = directory;
        this.folder = directory.model();
        this.checkpoints = directory.checkpoints();
        this.metrics = directory.metrics();
        // Half a model with checkpoints beside it is this run's own; anything else is not touched.
        boolean partial = isPartial(folder, settings);
        boolean overwrites = settings.run().overwrite() || (partial && checkpoints.exist());
        Model there = folder.exists() && !overwrites ? folder.finished(settings) : null;
        boolean goesOn = there != null
                && there.settings().training().epochs() < settings.training().epochs();
        if (goesOn && !checkpoints.exist()) {
            throw folder.withoutCheckpoint(settings.training().epochs());
        }
        this.replaces = overwrites || goesOn;
        this.trainsAnew = settings.run().overwrite() && folder.exists() && !partial;
        this.finished = goesOn ? null : there;
        this.start = finished == null ? ModelFolder.start(settings, session.hadoop()) : Optional.empty();
        this.prepare = Prepare.of(session, settings, task, start);
        if (finished == null) {
            directory.checkOwn();
        }
        if (replaces) {
            folder.checkOwn();
        }
    }

    /** What cannot be read, or only by a newer Unroll, may be replaced if the user says so. */
    private static boolean isPartial(ModelFolder folder, Settings settings) {
        try {
            return folder.isPartial();
        } catch (UnrollException e) {
            if (settings.run().overwrite() && !(e instanceof ConfigurationException)) {
                return false;
            }
            throw e;
        }
    }

    /**
     * @return the model, as it was published, be it by an earlier attempt
     * @throws UnrollException where another process trains in the same directory
     */
    public static Model run(Session session, Settings settings, Progress progress) throws IOException {
        try (RunDirectory directory = RunDirectory.open(settings, session.hadoop(), progress::waits)) {
            return new TrainingJob(session, settings, progress, directory).run();
        }
    }

    public static String modelPath(Settings settings) {
        return new Path(settings.run().directory(), "model").toString();
    }

    private Model run() throws IOException {
        if (finished != null) {
            return checkedFinished();
        }
        prepare();
        plan();
        checkMemory();
        directory.checkHeldNow();
        RunState state = start();
        start = Optional.empty();
        last = state;
        session.beforeShutdown(this::interrupted);
        try {
            while (!state.finished(settings.training())) {
                directory.checkHeld();
                state = round(state);
            }
            journal.await();
        } finally {
            journal.close();
        }
        stopIfInterrupted();
        directory.checkHeldNow();
        last = null;
        boolean keepsBest = settings.training().earlyStopping() > 0 && state.best() != null && !state.isBest();
        return publish(keepsBest ? checkpoints.read(state.best().round()) : state, folder, replaces);
    }

    private Model checkedFinished() {
        if (!finished.manifest().corpus().equals(prepare.corpusHash())) {
            throw folder.finishedOtherwise("the content of corpus.path has changed");
        }
        progress.finished(modelPath(settings));
        return finished;
    }

    private void prepare() throws IOException {
        corpus = prepare.prepare();
        shape = task.network(corpus.vocabularies());
        progress.prepared(corpus.folder(), corpus.size(), corpus.found());
    }

    private void plan() {
        plan = corpus.source().plan(settings);
        progress.planned(plan);
    }

    /** Says what a replica takes before any is made. */
    private void checkMemory() {
        Settings.Model model = shape.model();
        long replicaBytes = ReplicaMemory.bytes(shape, plan.batch(), plan.steps());
        progress.network(
                shape.parameters(),
                replicaBytes,
                model.precision() == Settings.Precision.BFLOAT16 && !Network.computesInBfloat16(model));
        boolean keeps = settings.cluster().averaging().updater() == Settings.Updater.KEEP;
        long kept = keeps ? (long) Float.BYTES * shape.optimizerSize() * plan.replicas() : 0;
        session.checkMemory(plan.replicas(), replicaBytes, shape.weightBytes(), kept);
    }

    /** @return where an earlier attempt has come to, or the beginning */
    private RunState start() throws IOException {
        rounds = new RoundJob(session, settings, corpus, shape, plan, AveragedRound.MAX_COLLECTED_BYTES);
        journal = new RunJournal(settings, checkpoints, metrics, corpus.source().content());
        Optional<Checkpoints.Found> found = checkpoints.latest(progress::damaged);
        // An unfinished run goes on all the same, or a second attempt would lose it.
        if (found.isPresent() && !(trainsAnew && found.get().finished())) {
            found.get().checkSameRun(corpus.source().content());
            found.get().checkArrays(shape, plan.replicas(), plan.batch());
            RunState state = found.get().state();
            progress.resumed(found.get().path(), state.snapshot().round());
            journal.resume(state);
            return state;
        }
        checkpoints.clear();
        start.ifPresent(model -> progress.startsFrom(settings.training().startFrom()));
        float[] parameters = start.map(Model::parameters).orElseGet(this::random);
        return RunState.before(Snapshot.initial(parameters, settings.cluster().replicas()));
    }

    private float[] random() {
        try (Network network = new Network(shape, settings.run().seed())) {
            return network.parameters();
        }
    }

    private RunState round(RunState before) {
        stopIfInterrupted();
        RoundJob.Done done = rounds.run(before);
        stopIfInterrupted();
        for (ReplicaResult result : done.results()) {
            if (result.divergence() != null) {
                String where = "replica " + result.replica() + ", at learning rate " + result.learningRate();
                throw diverged(done.round(), where + ": " + result.divergence(), before);
            }
        }
        Double validation = validate(done);
        if (validation != null && UniformLoss.of(shape).isAbsurd(validation)) {
            String where = "at learning rate " + done.results().get(0).learningRate();
            String problem = ": the validation loss is " + UniformLoss.of(shape).compare(validation);
            throw diverged(done.round(), where + problem, before);
        }
        done.phases().time("checkpoint", journal::await);
        RoundReport report = rounds.report(done, validation);
        RunState after =
                before.after(done.snapshot(), report, settings.training().patience());
        last = after;
        journal.record(after);
        progress.round(report);
        return after;
    }

    /** @return nats per token; null where the round does not end an epoch, or nothing is held out */
    private Double validate(RoundJob.Done done) {
        if (!done.round().endsEpoch()) {
            return null;
        }
        float[] parameters = done.snapshot().model(settings.cluster().averaging());
        return done.phases().time("validate", () -> {
            try (Evaluation evaluation = Evaluation.byLoss(session, settings, shape, parameters)) {
                return evaluation
                        .of(corpus.source(), Split.Part.VALIDATION)
                        .map(found -> found.loss().mean())
                        .orElse(null);
            }
        });
    }

    /** On SIGINT or SIGTERM: the round that is under way is lost, and no other. */
    private void interrupted() {
        RunState state = last;
        if (state == null) {
            return;
        }
        interrupted = true;
        try {
            journal.checkpointNow(state);
        } catch (RuntimeException e) {
            LOG.warn("the last round has no checkpoint: {}", e.getMessage(), e);
        } finally {
            progress.interrupted(journal.checkpointed());
            directory.close();
        }
    }

    /** The checkpoint is being written by then: a round more would not be in it. */
    private void stopIfInterrupted() {
        if (interrupted) {
            throw new UnrollException("interrupted after round " + journal.checkpointed() + ".");
        }
    }

    private UnrollException diverged(Round round, String what, RunState lastGood) {
        last = null;
        String kept = "no round was good before it";
        if (lastGood.snapshot().round() > 0) {
            publish(lastGood, directory.lastGood(), true);
            kept = "the model after round " + lastGood.snapshot().round() + " is kept in "
                    + directory.lastGood().path();
        }
        // Or another learning rate would be refused as another run's.
        journal.close();
        checkpoints.clear();
        return new UnrollException("training diverged in round " + (round.number() + 1) + ", " + what + "; " + kept
                + ". Lower training.learning-rate, or set a smaller training.clip-norm.");
    }

    private Model publish(RunState state, ModelFolder target, boolean overwrite) {
        Snapshot snapshot = state.snapshot();
        float[] parameters = snapshot.model(settings.cluster().averaging());
        Manifest manifest = new Manifest(
                Versions.all(),
                settings.run().seed(),
                corpus.source().content(),
                corpus.vocabularies().tokens().size(),
                parameters.length,
                snapshot.epoch(),
                snapshot.round(),
                snapshot.tokens(),
                state.report().trainingLoss(),
                state.validationLoss(),
                corpus.vocabularies().checksum(),
                FloatArray.checksum(parameters));
        Model model = new Model(
                manifest,
                settings,
                corpus.vocabularies(),
                parameters,
                snapshot.weights().optimizer());
        target.write(model, overwrite);
        return model;
    }
}
