package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.kernel.NativeLibraries;
import io.unroll.model.Natives;
import java.io.Serializable;
import java.util.concurrent.Callable;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FSError;

/**
 * A task's value, or the message of a failure that the driver rethrows. If the task itself threw, Spark would retry it
 * and print the stack trace.
 *
 * @param value null after a failure
 * @param problem the message; null without a failure
 * @param isConfiguration whether the failure is a {@link ConfigurationException}
 */
record TaskResult<O>(O value, String problem, boolean isConfiguration) implements Serializable {
    TaskResult(O value) {
        this(value, null, false);
    }

    private static <O> TaskResult<O> failed(String problem) {
        return new TaskResult<>(null, problem, false);
    }

    /** Runs a task; exceptions that a user can act on become failures, all others are thrown. */
    static <O> TaskResult<O> of(Callable<O> task) throws Exception {
        try {
            return new TaskResult<>(task.call());
        } catch (ConfigurationException e) {
            return new TaskResult<>(null, e.getMessage(), true);
        } catch (UnrollException e) {
            return failed(e.getMessage());
        } catch (FSError e) {
            return failed(
                    "a local disk of " + ExecutorInfo.thisHost() + " fails: " + ExceptionUtils.getRootCauseMessage(e));
        } catch (OutOfMemoryError e) {
            return failed(Natives.limitReached(e)
                    .orElseGet(() -> "there is not enough memory on " + ExecutorInfo.thisHost() + " (" + e.getMessage()
                            + "; the Java heap may grow to "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MiB): give it more with --executor-memory, or with --driver-memory if Spark's master is"
                            + " local."));
        } catch (LinkageError e) {
            return failed("the native libraries do not load on " + ExecutorInfo.thisHost() + " "
                    + NativeLibraries.loadFailure(e));
        }
    }

    /** @return this failure, as the result of a task with another type of value */
    <P> TaskResult<P> asFailure() {
        return new TaskResult<>(null, problem, isConfiguration);
    }

    boolean isFailure() {
        return problem != null;
    }

    /** @throws UnrollException the task's failure */
    O orThrow() {
        if (isFailure()) {
            throw isConfiguration ? new ConfigurationException(problem) : new UnrollException(problem);
        }
        return value;
    }
}
