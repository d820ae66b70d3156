package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.train.RunState;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the metrics and checkpoints of a run in a background thread, while the next round trains:
 *
 * <pre>
 *   run     | round 1 | round 2      | round 3      | ...
 *   journal           | writes 1     | writes 2     |       recording round 2 waits until round 1 is written
 * </pre>
 *
 * The metrics of a round are written before its checkpoint, so a resumed run finds the metrics of all earlier rounds.
 */
public final class RunJournal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunJournal.class);
    private static final int MAX_MINUTES_TO_CLOSE = 10;

    private final Settings settings;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;
    private final String corpus;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "run-journal");
        thread.setDaemon(true);
        return thread;
    });

    private CompletableFuture<Void> writing = CompletableFuture.completedFuture(null);
    private long lastCheckpointNanos = System.nanoTime();
    private volatile int lastCheckpointRound;

    /** @param corpus hash of the corpus content */
    public RunJournal(Settings settings, Checkpoints checkpoints, MetricsFile metrics, String corpus) {
        this.settings = settings;
        this.checkpoints = checkpoints;
        this.metrics = metrics;
        this.corpus = corpus;
    }

    /** @param state state read from the checkpoint that the run resumes from */
    public void resume(RunState state) {
        metrics.resume(state.report());
        lastCheckpointRound = state.snapshot().round();
    }

    /** @return the round of the last checkpoint; 0 if there is none */
    public int lastCheckpointRound() {
        return lastCheckpointRound;
    }

    /**
     * Waits until the previous round is written, then writes this one in the background.
     *
     * @throws io.unroll.config.UnrollException if an earlier round could not be written
     */
    public synchronized void record(RunState state) {
        await();
        boolean due = isDue(state);
        if (due) {
            lastCheckpointNanos = System.nanoTime();
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
        Settings.Checkpoint schedule = settings.run().checkpoint();
        if (!schedule.isOn()) {
            return state.isBest() && settings.training().earlyStopping() > 0;
        }
        boolean elapsed = schedule.rounds() > 0
                ? state.snapshot().round() % schedule.rounds() == 0
                : System.nanoTime() - lastCheckpointNanos >= schedule.interval().toNanos();
        return elapsed || state.isBest() || state.finished(settings.training());
    }

    /** Writes a checkpoint now, unless this round already has one or checkpoints are off. */
    public synchronized void checkpointNow(RunState state) {
        await();
        if (settings.run().checkpoint().isOn() && state.snapshot().round() > lastCheckpointRound) {
            checkpoint(state);
        }
    }

    private void checkpoint(RunState state) {
        checkpoints.write(state, corpus);
        lastCheckpointRound = state.snapshot().round();
    }

    /**
     * Waits until all recorded rounds are written.
     *
     * @throws io.unroll.config.UnrollException if the last one could not be written
     */
    public synchronized void await() {
        try {
            writing.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Waits until no file is being written any more. Does not report failures: {@link #await} does. */
    @Override
    public synchronized void close() {
        writer.shutdown();
        try {
            if (!writer.awaitTermination(MAX_MINUTES_TO_CLOSE, TimeUnit.MINUTES)) {
                LOG.warn("the last checkpoint was not written within {} minutes", MAX_MINUTES_TO_CLOSE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
