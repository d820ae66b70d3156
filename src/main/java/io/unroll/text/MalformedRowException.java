package io.unroll.text;

import io.unroll.config.UnrollException;

/** A row cannot be used. The row is skipped or the job fails, depending on {@code corpus.malformed}. */
public final class MalformedRowException extends UnrollException {
    private final String reason;

    public MalformedRowException(String message) {
        this(message, message);
    }

    /** @param reason the part of the message that other rows have, too: skipped rows are counted by it */
    public MalformedRowException(String reason, String message) {
        super(message);
        this.reason = reason;
    }

    public String reason() {
        return reason;
    }
}
