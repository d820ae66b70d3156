package io.unroll.config;

/** The command line, the configuration, or a path in them is invalid. Exit status 2. */
public final class ConfigurationException extends UnrollException {
    public ConfigurationException(String message) {
        super(message);
    }

    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}
