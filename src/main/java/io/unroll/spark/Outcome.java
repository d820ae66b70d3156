package io.unroll.spark;

import io.unroll.config.UnrollException;
import java.io.Serializable;
import java.util.concurrent.Callable;

/** Carries a failure that the user must hear of to the driver: Spark would try again, and print its trace. */
record Outcome<O>(O value, String problem) implements Serializable {
    static <O> Outcome<O> of(Callable<O> task) throws Exception {
        try {
            return new Outcome<>(task.call(), null);
        } catch (UnrollException e) {
            return new Outcome<>(null, e.getMessage());
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
