package io.unroll.text;

import io.unroll.config.UnrollException;

/** A row cannot be used. The row is skipped or the job fails, depending on {@code corpus.malformed}. */
public final class MalformedRowException extends UnrollException {
    private static final long serialVersionUID = 1;

    public MalformedRowException(String message) {
        super(message);
    }
}
