package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import io.unroll.model.Natives;
import java.io.Serializable;
import java.util.concurrent.Callable;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FSError;

/** Carries a failure that the user must hear of to the driver: Spark would try again, and print its trace. */
record Outcome<O>(O value, String problem, Kind kind) implements Serializable {
    private enum Kind {
        CONFIGURATION,
        OTHER
    }

    Outcome(O value) {
        this(value, null, null);
    }

    private static <O> Outcome<O> failed(String problem) {
        return new Outcome<>(null, problem, Kind.OTHER);
    }

    static <O> Outcome<O> of(Callable<O> task) throws Exception {
        try {
            return new Outcome<>(task.call());
        } catch (ConfigurationException e) {
            return new Outcome<>(null, e.getMessage(), Kind.CONFIGURATION);
        } catch (UnrollException e) {
            return failed(e.getMessage());
        } catch (FSError e) {
            return failed("a local disk of " + Worker.thisHost() + " fails: " + ExceptionUtils.getRootCauseMessage(e));
        } catch (OutOfMemoryError e) {
            return failed(Natives.limitReached(e)
                    .orElseGet(() -> "there is not enough memory on " + Worker.thisHost() + " (" + e.getMessage()
                            + "; the Java heap may grow to "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MiB): give it more with --executor-memory, or with --driver-memory if Spark's master is"
                            + " local."));
        } catch (LinkageError e) {
            return failed("the native libraries do not load on " + Worker.thisHost() + " ("
                    + ExceptionUtils.getRootCauseMessage(e) + "): the jar holds them for Linux on x86-64, and"
                    + " they are unpacked into ~/.javacpp, from where programs must be allowed to run.");
        }
    }

    /** @return the same failure */
    <P> Outcome<P> failed() {
        return new Outcome<>(null, problem, kind);
    }

    O orThrow() {
        if (problem != null) {
            throw kind == Kind.CONFIGURATION ? new ConfigurationException(problem) : new UnrollException(problem);
        }
        return value;
    }
}
