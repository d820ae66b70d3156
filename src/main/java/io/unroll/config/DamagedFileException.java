package io.unroll.config;

/** A stored file is damaged: its content is not what Unroll wrote, so reading it again does not help. */
public final class DamagedFileException extends UnrollException {
    private static final long serialVersionUID = 1;

    public DamagedFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
