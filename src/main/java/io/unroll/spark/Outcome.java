package io.unroll.spark;

import io.unroll.config.UnrollException;
import java.io.Serializable;
import java.util.concurrent.Callable;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FSError;

/** Carries a failure that the user must hear of to the driver: Spark would try again, and print its trace. */
record Outcome<O>(O value, String problem) implements Serializable {
    static <O> Outcome<O> of(Callable<O> task) throws Exception {
        try {
            return new Outcome<>(task.call(), null);
        } catch (UnrollException e) {
            return new Outcome<>(null, e.getMessage());
        } catch (FSError e) {
            return new Outcome<>(
                    null, "a local disk of " + Worker.thisHost() + " fails: " + ExceptionUtils.getRootCauseMessage(e));
        } catch (LinkageError e) {
            return new Outcome<>(
                    null,
                    "the native libraries do not load on " + Worker.thisHost() + " ("
                            + ExceptionUtils.getRootCauseMessage(e) + "): the jar holds them for Linux on x86-64, and"
                            + " they are unpacked into ~/.javacpp, from where programs must be allowed to run.");
        }
    }

    /** @return the same failure */
    <P> Outcome<P> failed() {
        return new Outcome<>(null, problem);
    }

    O orThrow() {
        if (problem != null) {
            throw new UnrollException(problem);
        }
        return value;
    }
}
