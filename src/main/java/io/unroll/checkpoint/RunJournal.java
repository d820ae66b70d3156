package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.train.RunState;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the metrics and checkpoints of a run, those of one round while the next one trains:
 *
 * <pre>
 *   run     | round 1 | round 2      | round 3      | ...
 *   journal           | writes 1     | writes 2     |       round 2 is recorded once 1 is written
 * </pre>
 *
 * A round's metrics are on disk before its checkpoint is, so a resumed run finds those of every round before.
 */
public final class RunJournal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunJournal.class);
    private static final int MAX_MINUTES_TO_WRITE = 10;

    private final Settings settings;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;
    private final String corpus;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "run-journal");
        thread.setDaemon(true);
        return thread;
    });

    private CompletableFuture<Void> writing = CompletableFuture.completedFuture(null);
    private long lastCheckpoint = System.nanoTime();
    private volatile int checkpointed;

    /** @param corpus hash of the corpus' content */
    public RunJournal(Settings settings, Checkpoints checkpoints, MetricsFile metrics, String corpus) {
        this.settings = settings;
        this.checkpoints = checkpoints;
        this.metrics = metrics;
        this.corpus = corpus;
    }

    /** @param state that was read from a checkpoint */
    public void resume(RunState state) throws IOException {
        metrics.resume(state.report());
        checkpointed = state.snapshot().round();
    }

    /** @return the round of the last checkpoint; 0 if there is none */
    public int checkpointed() {
        return checkpointed;
    }

    /**
     * Starts to write a round, after the one before is written.
     *
     * @throws io.unroll.config.UnrollException if an earlier round could not be written
     */
    public synchronized void record(RunState state) {
        await();
        boolean due = isDue(state);
        if (due) {
            lastCheckpoint = System.nanoTime();
        }
        writing = CompletableFuture.runAsync(
                () -> {
                    metrics.add(state.report());
                    if (due) {
                        checkpoint(state);
                    }
                },
                writer);
    }

    private boolean isDue(RunState state) {
        Settings.Checkpoint when = settings.run().checkpoint();
        if (!when.isOn()) {
            return state.isBest() && settings.training().earlyStopping() > 0;
        }
        boolean elapsed = when.rounds() > 0
                ? state.snapshot().round() % when.rounds() == 0
                : System.nanoTime() - lastCheckpoint >= when.interval().toNanos();
        return elapsed || state.isBest() || state.finished(settings.training());
    }

    /** Writes a checkpoint now, unless it is written or checkpoints are off. */
    public synchronized void checkpointNow(RunState state) {
        await();
        if (settings.run().checkpoint().isOn() && state.snapshot().round() > checkpointed) {
            checkpoint(state);
        }
    }

    private void checkpoint(RunState state) {
        checkpoints.write(state, corpus);
        checkpointed = state.snapshot().round();
    }

    /**
     * Waits until everything that was recorded is written.
     *
     * @throws io.unroll.config.UnrollException if it could not be written
     */
    public synchronized void await() {
        try {
            writing.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Waits until nothing is being written any more, here or by {@link #checkpointNow}, whether it succeeds or not. */
    @Override
    public synchronized void close() {
        writer.shutdown();
        try {
            if (!writer.awaitTermination(MAX_MINUTES_TO_WRITE, TimeUnit.MINUTES)) {
                LOG.warn("the last checkpoint is not written after {} minutes", MAX_MINUTES_TO_WRITE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
