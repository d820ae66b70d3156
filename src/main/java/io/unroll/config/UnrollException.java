package io.unroll.config;

/**
 * A failure whose message tells the user what happened, where, and what to do. Exit status 1. Messages quote input, so
 * control characters become question marks: a terminal would obey them.
 */
public class UnrollException extends RuntimeException {
    public UnrollException(String message) {
        this(message, null);
    }

    public UnrollException(String message, Throwable cause) {
        super(message == null ? null : message.replaceAll("[\\p{Cntrl}\\uFFFD&&[^\n\t]]", "?"), cause);
    }
}
