package io.unroll.text;

import io.unroll.config.UnrollException;

/** A row that cannot be used; {@code corpus.malformed} decides whether that ends the work. */
public final class MalformedRowException extends UnrollException {
    private static final long serialVersionUID = 1;

    public MalformedRowException(String message) {
        super(message);
    }
}
