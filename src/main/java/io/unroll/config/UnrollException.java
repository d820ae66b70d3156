package io.unroll.config;

/** A failure that its message explains in full to the user: what, where, and how to mend it. Exit status 1. */
public class UnrollException extends RuntimeException {
    public UnrollException(String message) {
        super(message);
    }

    public UnrollException(String message, Throwable cause) {
        super(message, cause);
    }
}
