package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * What a run keeps, in {@code run.directory}: model, last good model, checkpoints and metrics; one process at a time has
 * it.
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
     * @param waiting hears why, where it takes a minute to see whether another process has it
     * @throws UnrollException where another process has it
     */
    public static RunDirectory open(Settings settings, Configuration hadoop, Consumer<String> waiting)
            throws IOException {
        new ModelFolder(path(settings, "model"), hadoop).checkWritable("run.directory");
        String directory = settings.run().directory();
        DirectoryLock lock = DirectoryLock.of(new Path(directory, ".lock"), directory, hadoop, waiting);
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

    /** @throws io.unroll.config.ConfigurationException where there is what Unroll has not made, and would replace or delete */
    public void checkOwn() {
        try {
            checkpoints.checkOwn();
            metrics.checkOwn();
        } catch (IOException e) {
            throw new UnrollException("cannot read " + model.path().getParent() + ": " + DraftFile.reason(e), e);
        }
        lastGood.checkOwn();
    }

    /** @throws UnrollException where another process has taken it meanwhile */
    public void checkHeld() {
        lock.check();
    }

    /** As {@link #checkHeld}, without relying on what was seen some seconds before. */
    public void checkHeldNow() {
        lock.checkNow();
    }

    public ModelFolder model() {
        return model;
    }

    /** @return where the last good model of a run that diverges goes */
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
