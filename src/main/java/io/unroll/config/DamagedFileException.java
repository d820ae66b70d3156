package io.unroll.config;

/** A stored file is not as Unroll has written it: reading it again gives the same. */
public final class DamagedFileException extends UnrollException {
    private static final long serialVersionUID = 1;

    public DamagedFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
