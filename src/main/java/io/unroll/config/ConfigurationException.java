package io.unroll.config;

/** What the user asked for cannot be: the command line, the configuration, or a path in them. Exit status 2. */
public final class ConfigurationException extends UnrollException {
    public ConfigurationException(String message) {
        super(message);
    }

    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}
