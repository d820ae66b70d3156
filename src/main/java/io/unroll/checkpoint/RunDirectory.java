package io.unroll.checkpoint;

import io.unroll.checkpoint.Checkpoints.LatestCheckpoint;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.storage.AtomicFile;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The directory of a run, {@code run.directory}. It is locked, so that one process at a time writes to it.
 *
 * @param lastGood the folder for the model before the divergence, if the run diverges
 */
public record RunDirectory(
        ModelFolder model, ModelFolder lastGood, Checkpoints checkpoints, MetricsFile metrics, DirectoryLock lock)
        implements AutoCloseable {
    /** How an attempt to train starts, which depends on what earlier attempts have left. */
    public sealed interface Attempt {
        /** @return the model whose weights and vocabularies the run starts from; empty without a warm start */
        default Optional<TrainedModel> warmStart() {
            return Optional.empty();
        }
    }

    /** An earlier attempt has completed the run. */
    public record Finished(TrainedModel trained, RunIdentity run) implements Attempt {}

    /** An earlier attempt has written a checkpoint of a run with the same settings. */
    public record Resumes(LatestCheckpoint checkpoint, Optional<TrainedModel> warmStart) implements Attempt {}

    /** The run starts with its first round. */
    public record Begins(Optional<TrainedModel> warmStart) implements Attempt {}

    /**
     * Locks the directory.
     *
     * @param waiting called with a message if this waits up to a minute to see whether another process is alive
     * @throws UnrollException if another process holds the lock
     */
    public static RunDirectory open(Settings settings, Configuration hadoop, Consumer<String> waiting)
            throws IOException {
        String directory = settings.run().directory();
        ModelFolder model = new ModelFolder(directory + "/model", hadoop);
        model.checkWritable("run.directory");
        return new RunDirectory(
                model,
                new ModelFolder(directory + "/last-good", hadoop),
                new Checkpoints(settings, hadoop),
                new MetricsFile(directory, hadoop),
                DirectoryLock.acquire(new Path(directory, ".lock"), directory, hadoop, waiting));
    }

    /**
     * Finds out how to start. Completes or undoes the interrupted writing of a model, and changes nothing else.
     *
     * @param damaged called with the path of each damaged checkpoint and the reason
     * @throws ConfigurationException if the directory belongs to a run with other settings, or if the run would
     *     overwrite a file that Unroll did not write
     */
    public Attempt attempt(Settings settings, Configuration hadoop, BiConsumer<String, String> damaged) {
        boolean overwrite = settings.run().overwrite();
        boolean partial = isPartial(overwrite);
        // An incomplete model folder next to checkpoints was written by this run.
        if (model.exists() && !overwrite && !(partial && checkpoints.exist())) {
            if (partial) {
                // If there is a file that Unroll did not write, the message should name it, not the missing files.
                model.checkNoForeignFiles();
            }
            TrainedModel trained = model.read();
            RunIdentity run = RunIdentity.ofModel(model.path(), trained, settings, hadoop);
            run.checkSettings(settings);
            int epochs = settings.training().epochs();
            if (trained.settings().training().epochs() >= epochs) {
                return new Finished(trained, run);
            }
            if (!checkpoints.exist()) {
                throw run.cannotAddEpochs(epochs);
            }
        }
        Optional<TrainedModel> warmStart = RunIdentity.warmStart(settings, hadoop);
        checkNoForeignFiles();
        Optional<LatestCheckpoint> latest = checkpoints.latest(damaged);
        // Even with run.overwrite, an unfinished run resumes: a second attempt must not lose the first one's rounds.
        boolean startsOver = overwrite && model.exists() && !partial;
        if (latest.isEmpty() || (startsOver && latest.get().finished())) {
            return new Begins(warmStart);
        }
        latest.get().run().checkSettings(settings);
        return new Resumes(latest.get(), warmStart);
    }

    /** With run.overwrite, a folder that cannot be read, or was written by a newer Unroll, counts as complete. */
    private boolean isPartial(boolean overwrite) {
        try {
            return model.isPartial();
        } catch (UnrollException e) {
            if (overwrite && !(e instanceof ConfigurationException)) {
                return false;
            }
            throw e;
        }
    }

    private void checkNoForeignFiles() {
        try {
            checkpoints.checkNoForeignFiles();
            metrics.checkNoForeignFiles();
        } catch (IOException e) {
            throw new UnrollException("cannot read " + model.path().getParent() + ": " + AtomicFile.reason(e), e);
        }
        lastGood.checkNoForeignFiles();
        model.checkNoForeignFiles();
    }

    @Override
    public void close() {
        lock.close();
    }
}
