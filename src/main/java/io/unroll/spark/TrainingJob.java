package io.unroll.spark;

import io.unroll.checkpoint.Checkpoints.LatestCheckpoint;
import io.unroll.checkpoint.Manifest;
import io.unroll.checkpoint.RunDirectory;
import io.unroll.checkpoint.RunJournal;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.Plan;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.model.ReplicaMemory;
import io.unroll.task.Task;
import io.unroll.train.Progress;
import io.unroll.train.ReplicaResult;
import io.unroll.train.Round;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.UniformLoss;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;
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
    private final RunDirectory directory;

    private TrainingJob(Session session, Settings settings, Progress progress, RunDirectory directory) {
        this.session = session;
        this.settings = settings;
        this.progress = progress;
        this.directory = directory;
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
            TrainingJob job = new TrainingJob(session, settings, progress, directory);
            // In two methods, so that the weights of a checkpoint or a warm start can be freed when training starts.
            return job.begin(directory.attempt(settings, session.hadoop(), progress::damaged))
                    .get();
        }
    }

    /** @return the model folder of a run */
    public static String modelPath(Settings settings) {
        return new Path(settings.run().directory(), "model").toString();
    }

    /** @return the rest of the attempt, which ends with the model */
    private Supplier<TrainedModel> begin(RunDirectory.Attempt attempt) throws IOException {
        Task task = Task.of(settings);
        CorpusPreparation preparation = CorpusPreparation.of(session, settings, task, attempt.warmStart());
        if (attempt instanceof RunDirectory.Finished finished) {
            finished.run().checkCorpus(preparation.corpusHash());
            progress.finished(modelPath(settings));
            return finished::trained;
        }
        boolean overwrite = settings.run().overwrite() || directory.model().exists();
        PreparedCorpus corpus = prepare(preparation);
        RunPlan plan = plan(corpus, task.network(corpus.vocabularies()));
        checkMemory(plan);
        directory.lock().checkNow();
        Rounds rounds = new Rounds(plan, firstState(attempt, plan));
        return () -> publish(withReference(plan, model(plan, rounds.train())), overwrite);
    }

    private PreparedCorpus prepare(CorpusPreparation preparation) throws IOException {
        PreparedCorpus corpus = preparation.prepare();
        progress.prepared(corpus.folder(), corpus.size(), corpus.found());
        return corpus;
    }

    /** What is trained: which network, on which batches of which corpus. */
    private record RunPlan(PreparedCorpus corpus, NetworkShape shape, Plan batches) {
        String corpusHash() {
            return corpus.source().contentHash();
        }
    }

    private RunPlan plan(PreparedCorpus corpus, NetworkShape shape) {
        Plan batches = corpus.source().plan(settings);
        progress.planned(batches);
        return new RunPlan(corpus, shape, batches);
    }

    /** Reports how much memory a replica needs, and fails early if there is too little. */
    private void checkMemory(RunPlan plan) {
        NetworkShape shape = plan.shape();
        Settings.Model model = shape.model();
        int replicas = plan.batches().replicas();
        long replicaBytes = ReplicaMemory.bytes(
                shape, plan.batches().batch(), plan.batches().steps());
        progress.network(
                shape.parameters(),
                replicaBytes,
                model.precision() == Settings.Precision.BFLOAT16 && !Network.computesInBfloat16(model));
        boolean keepsOptimizer = settings.cluster().averaging().updater() == Settings.Updater.KEEP;
        long keptBytes = keepsOptimizer ? (long) Float.BYTES * shape.optimizerSize() * replicas : 0;
        session.checkMemory(replicas, replicaBytes, shape.weightBytes(), keptBytes);
    }

    /** @return the state of the checkpoint; without one, the initial state */
    private RunState firstState(RunDirectory.Attempt attempt, RunPlan plan) {
        if (attempt instanceof RunDirectory.Resumes resumes) {
            LatestCheckpoint checkpoint = resumes.checkpoint();
            checkpoint.run().checkCorpus(plan.corpusHash());
            checkpoint.checkArrays(
                    plan.shape(), plan.batches().replicas(), plan.batches().batch());
            progress.resumed(
                    checkpoint.run().path(), checkpoint.state().snapshot().round());
            return checkpoint.state();
        }
        directory.checkpoints().clear();
        attempt.warmStart()
                .ifPresent(model -> progress.startsFrom(settings.training().startFrom()));
        float[] parameters =
                attempt.warmStart().map(TrainedModel::parameters).orElseGet(() -> randomParameters(plan.shape()));
        return RunState.initial(Snapshot.initial(parameters, settings.cluster().replicas()));
    }

    private float[] randomParameters(NetworkShape shape) {
        try (Network network = new Network(shape, settings.run().seed())) {
            return network.parameters();
        }
    }

    /** @return the model after a round */
    private TrainedModel model(RunPlan plan, RunState state) {
        Snapshot snapshot = state.snapshot();
        Manifest manifest = new Manifest(
                plan.corpusHash(),
                snapshot.epoch(),
                snapshot.round(),
                snapshot.tokens(),
                state.report().trainingLoss(),
                state.validationLoss());
        return new TrainedModel(
                manifest,
                settings,
                plan.corpus().vocabularies(),
                snapshot.modelParameters(settings.cluster().averaging()),
                snapshot.weights().optimizer());
    }

    private TrainedModel withReference(RunPlan plan, TrainedModel model) {
        try {
            return ReferenceScores.of(session, model, plan.corpus().source())
                    .map(model::withReference)
                    .orElse(model);
        } catch (RuntimeException e) {
            LOG.warn("the model has no scores of held-out rows, which score compares with: {}", e.getMessage(), e);
            return model;
        }
    }

    private TrainedModel publish(TrainedModel model, boolean overwrite) {
        directory.model().write(model, overwrite);
        return model;
    }

    /** Trains round by round, and has all that changes meanwhile: the state, and whether a signal has arrived. */
    private final class Rounds {
        private final RunPlan plan;
        private final RoundJob roundJob;
        private final RunJournal journal;
        /** What to checkpoint on a signal: the state after the last round; empty when all rounds are over. */
        private volatile Optional<RunState> lastState;

        private volatile boolean interrupted;

        Rounds(RunPlan plan, RunState first) {
            this.plan = plan;
            this.roundJob =
                    new RoundJob(session, settings, plan.shape(), plan.batches(), AveragedRound.MAX_COLLECTED_BYTES);
            this.journal = new RunJournal(settings, directory.checkpoints(), directory.metrics(), plan.corpusHash());
            this.lastState = Optional.of(first);
        }

        /** @return the state to publish: with early stopping, that of the best epoch, otherwise the last one */
        RunState train() {
            RunState state = lastState.orElseThrow();
            session.beforeShutdown(this::checkpointOnShutdown);
            try (journal) {
                if (state.snapshot().round() > 0) {
                    journal.resume(state);
                }
                while (!state.finished(settings.training())) {
                    directory.lock().check();
                    state = trainRound(state);
                }
                journal.await();
            }
            stopIfInterrupted();
            directory.lock().checkNow();
            lastState = Optional.empty();
            boolean keepsBest = settings.training().earlyStopping() > 0 && state.best() != null && !state.isBest();
            return keepsBest ? directory.checkpoints().read(state.best().round()) : state;
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
            UniformLoss uniform = UniformLoss.of(plan.shape());
            if (validation != null && uniform.isDiverged(validation)) {
                String where = "at learning rate " + completed.results().get(0).learningRate();
                String problem = ": the validation loss is " + uniform.describe(validation);
                throw diverged(completed.round(), where + problem, before);
            }
            completed.timer().time("checkpoint", journal::await);
            RoundReport report = roundJob.report(completed, validation);
            RunState after = before.after(
                    completed.snapshot(), report, settings.training().patience());
            lastState = Optional.of(after);
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
                try (Evaluation evaluation = Evaluation.byLoss(session, settings, plan.shape(), parameters)) {
                    return evaluation
                            .score(plan.corpus().source(), Split.Part.VALIDATION)
                            .map(score -> score.loss().mean())
                            .orElse(null);
                }
            });
        }

        /** On SIGINT or SIGTERM: saves all completed rounds; only the current one is lost. */
        private void checkpointOnShutdown() {
            Optional<RunState> state = lastState;
            if (state.isEmpty()) {
                return;
            }
            interrupted = true;
            try {
                journal.checkpointNow(state.get());
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
            lastState = Optional.empty();
            String kept = "there is no earlier model to keep";
            if (lastGood.snapshot().round() > 0) {
                directory.lastGood().write(model(plan, lastGood), true);
                kept = "the model after round " + lastGood.snapshot().round() + " is kept in "
                        + directory.lastGood().path();
            }
            // With checkpoints left, a second attempt with a lower learning rate would be refused as another run.
            journal.close();
            directory.checkpoints().clear();
            return new UnrollException("training diverged in round " + (round.number() + 1) + ", " + problem + "; "
                    + kept + ". Lower training.learning-rate, or set a smaller training.clip-norm.");
        }
    }
}
