package io.unroll.config;

/** A failure whose message tells the user what happened, where, and what to do. Exit status 1. */
public class UnrollException extends RuntimeException {
    public UnrollException(String message) {
        super(message);
    }

    public UnrollException(String message, Throwable cause) {
        super(message, cause);
    }
}
