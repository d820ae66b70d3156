package io.unroll.spark;

import io.unroll.checkpoint.Checkpoints;
import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.MetricsFile;
import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.RunDirectory;
import io.unroll.checkpoint.RunJournal;
import io.unroll.checkpoint.TrainedModel;
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

/**
 * A training run, from the driver's side: prepares the corpus, plans the batches, trains round by round, writes
 * checkpoints and metrics, and writes the model folder. A second job with the same run directory resumes from the last
 * checkpoint.
 */
public final class TrainingJob {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingJob.class);

    private final Session session;
    private final Settings settings;
    private final Progress progress;
    private final Task task;
    private final CorpusPreparation preparation;
    private final RunDirectory directory;
    private final ModelFolder folder;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;
    /** The model of a warm start; emptied as soon as the first round can begin, to free its memory. */
    private Optional<TrainedModel> warmStart;
    /** The model in the model folder, if an earlier attempt completed this run; otherwise null. */
    private final TrainedModel finished;
    /** Whether the model folder may be overwritten: by run.overwrite, for more epochs, or because it is incomplete. */
    private final boolean mayOverwrite;
    /** Whether run.overwrite asks for a new run although the model folder is complete. */
    private final boolean startsOver;

    private PreparedCorpus corpus;
    private NetworkShape shape;
    private Plan plan;
    private RoundJob roundJob;
    private RunJournal journal;
    /** What to checkpoint on a signal; null before the first round and after the last. */
    private volatile RunState lastState;

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
        // An incomplete model folder next to checkpoints was written by this run; any other one is not touched.
        boolean partial = isPartial(folder, settings);
        boolean overwrites = settings.run().overwrite() || (partial && checkpoints.exist());
        TrainedModel existing = folder.exists() && !overwrites ? folder.finishedModel(settings) : null;
        boolean addsEpochs = existing != null
                && existing.settings().training().epochs() < settings.training().epochs();
        if (addsEpochs && !checkpoints.exist()) {
            throw folder.cannotAddEpochs(settings.training().epochs());
        }
        this.mayOverwrite = overwrites || addsEpochs;
        this.startsOver = settings.run().overwrite() && folder.exists() && !partial;
        this.finished = addsEpochs ? null : existing;
        this.warmStart = finished == null ? ModelFolder.warmStart(settings, session.hadoop()) : Optional.empty();
        this.preparation = CorpusPreparation.of(session, settings, task, warmStart);
        if (finished == null) {
            directory.checkNoForeignFiles();
        }
        if (mayOverwrite) {
            folder.checkNoForeignFiles();
        }
    }

    /** With run.overwrite, a folder that cannot be read, or was written by a newer Unroll, counts as complete. */
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
     * Trains, or resumes training, until the model folder is written.
     *
     * @return the model of the run; if an earlier attempt completed the run, the model of that attempt
     * @throws UnrollException if another process trains in the same run directory, or if training diverges
     * @throws ConfigurationException if the run directory belongs to a run with other settings or another corpus
     */
    public static TrainedModel run(Session session, Settings settings, Progress progress) throws IOException {
        try (RunDirectory directory = RunDirectory.open(settings, session.hadoop(), progress::waitingForLock)) {
            return new TrainingJob(session, settings, progress, directory).run();
        }
    }

    /** @return the model folder of a run */
    public static String modelPath(Settings settings) {
        return new Path(settings.run().directory(), "model").toString();
    }

    private TrainedModel run() throws IOException {
        if (finished != null) {
            return checkedFinished();
        }
        prepare();
        plan();
        checkMemory();
        directory.checkHeldNow();
        RunState state = resumeOrBegin();
        warmStart = Optional.empty();
        lastState = state;
        session.beforeShutdown(this::checkpointOnShutdown);
        try {
            while (!state.finished(settings.training())) {
                directory.checkHeld();
                state = trainRound(state);
            }
            journal.await();
        } finally {
            journal.close();
        }
        stopIfInterrupted();
        directory.checkHeldNow();
        lastState = null;
        boolean keepsBest = settings.training().earlyStopping() > 0 && state.best() != null && !state.isBest();
        return writeModel(keepsBest ? checkpoints.read(state.best().round()) : state, folder, mayOverwrite);
    }

    private TrainedModel checkedFinished() {
        if (!finished.manifest().corpus().equals(preparation.corpusHash())) {
            throw folder.otherRun("the content of corpus.path has changed");
        }
        progress.finished(modelPath(settings));
        return finished;
    }

    private void prepare() throws IOException {
        corpus = preparation.prepare();
        shape = task.network(corpus.vocabularies());
        progress.prepared(corpus.folder(), corpus.size(), corpus.found());
    }

    private void plan() {
        plan = corpus.source().plan(settings);
        progress.planned(plan);
    }

    /** Reports how much memory a replica needs, and fails early if there is too little. */
    private void checkMemory() {
        Settings.Model model = shape.model();
        long replicaBytes = ReplicaMemory.bytes(shape, plan.batch(), plan.steps());
        progress.network(
                shape.parameters(),
                replicaBytes,
                model.precision() == Settings.Precision.BFLOAT16 && !Network.computesInBfloat16(model));
        boolean keepsOptimizer = settings.cluster().averaging().updater() == Settings.Updater.KEEP;
        long keptBytes = keepsOptimizer ? (long) Float.BYTES * shape.optimizerSize() * plan.replicas() : 0;
        session.checkMemory(plan.replicas(), replicaBytes, shape.weightBytes(), keptBytes);
    }

    /** @return the state of the latest usable checkpoint; without one, the initial state */
    private RunState resumeOrBegin() throws IOException {
        roundJob = new RoundJob(session, settings, corpus, shape, plan, AveragedRound.MAX_COLLECTED_BYTES);
        journal = new RunJournal(settings, checkpoints, metrics, corpus.source().contentHash());
        Optional<Checkpoints.LatestCheckpoint> checkpoint = checkpoints.latest(progress::damaged);
        // Even with run.overwrite, an unfinished run resumes: a second attempt must not lose the first one's rounds.
        if (checkpoint.isPresent() && !(startsOver && checkpoint.get().finished())) {
            checkpoint.get().checkSameRun(corpus.source().contentHash());
            checkpoint.get().checkArrays(shape, plan.replicas(), plan.batch());
            RunState state = checkpoint.get().state();
            progress.resumed(checkpoint.get().path(), state.snapshot().round());
            journal.resume(state);
            return state;
        }
        checkpoints.clear();
        warmStart.ifPresent(model -> progress.startsFrom(settings.training().startFrom()));
        float[] parameters = warmStart.map(TrainedModel::parameters).orElseGet(this::randomParameters);
        return RunState.initial(Snapshot.initial(parameters, settings.cluster().replicas()));
    }

    private float[] randomParameters() {
        try (Network network = new Network(shape, settings.run().seed())) {
            return network.parameters();
        }
    }

    private RunState trainRound(RunState before) {
        stopIfInterrupted();
        RoundJob.CompletedRound completed = roundJob.run(before);
        stopIfInterrupted();
        for (ReplicaResult result : completed.results()) {
            if (result.divergence() != null) {
                String where = "replica " + result.replica() + ", at learning rate " + result.learningRate();
                throw diverged(completed.round(), where + ": " + result.divergence(), before);
            }
        }
        Double validation = validate(completed);
        if (validation != null && UniformLoss.of(shape).isDiverged(validation)) {
            String where = "at learning rate " + completed.results().get(0).learningRate();
            String problem = ": the validation loss is " + UniformLoss.of(shape).describe(validation);
            throw diverged(completed.round(), where + problem, before);
        }
        completed.timer().time("checkpoint", journal::await);
        RoundReport report = roundJob.report(completed, validation);
        RunState after =
                before.after(completed.snapshot(), report, settings.training().patience());
        lastState = after;
        journal.record(after);
        progress.round(report);
        return after;
    }

    /** @return the mean loss in nats per token; null if the round does not end an epoch or nothing is held out */
    private Double validate(RoundJob.CompletedRound completed) {
        if (!completed.round().endsEpoch()) {
            return null;
        }
        float[] parameters =
                completed.snapshot().modelParameters(settings.cluster().averaging());
        return completed.timer().time("validate", () -> {
            try (Evaluation evaluation = Evaluation.byLoss(session, settings, shape, parameters)) {
                return evaluation
                        .score(corpus.source(), Split.Part.VALIDATION)
                        .map(score -> score.loss().mean())
                        .orElse(null);
            }
        });
    }

    /** On SIGINT or SIGTERM: saves all completed rounds; only the current one is lost. */
    private void checkpointOnShutdown() {
        RunState state = lastState;
        if (state == null) {
            return;
        }
        interrupted = true;
        try {
            journal.checkpointNow(state);
        } catch (RuntimeException e) {
            LOG.warn("cannot write a checkpoint of the last round: {}", e.getMessage(), e);
        } finally {
            progress.interrupted(journal.lastCheckpointRound());
            directory.close();
        }
    }

    /** Starts no further round after a signal: the last checkpoint, which is being written, would not contain it. */
    private void stopIfInterrupted() {
        if (interrupted) {
            throw new UnrollException("interrupted after round " + journal.lastCheckpointRound() + ".");
        }
    }

    private UnrollException diverged(Round round, String problem, RunState lastGood) {
        lastState = null;
        String kept = "there is no earlier model to keep";
        if (lastGood.snapshot().round() > 0) {
            writeModel(lastGood, directory.lastGood(), true);
            kept = "the model after round " + lastGood.snapshot().round() + " is kept in "
                    + directory.lastGood().path();
        }
        // With checkpoints left, a second attempt with a lower learning rate would be refused as another run.
        journal.close();
        checkpoints.clear();
        return new UnrollException("training diverged in round " + (round.number() + 1) + ", " + problem + "; " + kept
                + ". Lower training.learning-rate, or set a smaller training.clip-norm.");
    }

    private TrainedModel writeModel(RunState state, ModelFolder target, boolean overwrite) {
        Snapshot snapshot = state.snapshot();
        float[] parameters = snapshot.modelParameters(settings.cluster().averaging());
        Manifest manifest = new Manifest(
                Versions.all(),
                settings.run().seed(),
                corpus.source().contentHash(),
                corpus.vocabularies().tokens().size(),
                parameters.length,
                snapshot.epoch(),
                snapshot.round(),
                snapshot.tokens(),
                state.report().trainingLoss(),
                state.validationLoss(),
                corpus.vocabularies().checksum(),
                FloatArray.checksum(parameters));
        TrainedModel model = new TrainedModel(
                manifest,
                settings,
                corpus.vocabularies(),
                parameters,
                snapshot.weights().optimizer());
        target.write(model, overwrite);
        return model;
    }
}
