package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The directory of a run, {@code run.directory}: model, last good model, checkpoints and metrics. It is locked, so that
 * one process at a time writes to it.
 */
public final class RunDirectory implements AutoCloseable {
    private final DirectoryLock lock;
    private final ModelFolder model;
    private final ModelFolder lastGood;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;

    private RunDirectory(Settings settings, Configuration hadoop, DirectoryLock lock) throws IOException {
        String directory = settings.run().directory();
        this.lock = lock;
        this.model = new ModelFolder(path(settings, "model"), hadoop);
        this.lastGood = new ModelFolder(path(settings, "last-good"), hadoop);
        this.checkpoints = new Checkpoints(settings, hadoop);
        this.metrics = new MetricsFile(directory, hadoop);
    }

    /**
     * Locks the directory.
     *
     * @param waiting called with a message if this waits up to a minute to see whether another process is alive
     * @throws UnrollException if another process holds the lock
     */
    public static RunDirectory open(Settings settings, Configuration hadoop, Consumer<String> waiting)
            throws IOException {
        new ModelFolder(path(settings, "model"), hadoop).checkWritable("run.directory");
        String directory = settings.run().directory();
        DirectoryLock lock = DirectoryLock.acquire(new Path(directory, ".lock"), directory, hadoop, waiting);
        try {
            return new RunDirectory(settings, hadoop, lock);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static String path(Settings settings, String name) {
        return new Path(settings.run().directory(), name).toString();
    }

    /** @throws io.unroll.config.ConfigurationException if the run would overwrite a file that Unroll did not write */
    public void checkNoForeignFiles() {
        try {
            checkpoints.checkNoForeignFiles();
            metrics.checkNoForeignFiles();
        } catch (IOException e) {
            throw new UnrollException("cannot read " + model.path().getParent() + ": " + DraftFile.reason(e), e);
        }
        lastGood.checkNoForeignFiles();
    }

    /** @throws UnrollException if the last renewal found that another process has taken over the lock */
    public void checkHeld() {
        lock.check();
    }

    /** Like {@link #checkHeld}, but renews the lock first. */
    public void checkHeldNow() {
        lock.checkNow();
    }

    public ModelFolder model() {
        return model;
    }

    /** @return the folder for the model before the divergence, if the run diverges */
    public ModelFolder lastGood() {
        return lastGood;
    }

    public Checkpoints checkpoints() {
        return checkpoints;
    }

    public MetricsFile metrics() {
        return metrics;
    }

    @Override
    public void close() {
        lock.close();
    }
}
