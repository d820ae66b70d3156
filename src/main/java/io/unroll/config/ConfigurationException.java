package io.unroll.config;

/** The command line, the configuration, or a path in them is invalid. Exit status 2. */
public final class ConfigurationException extends UnrollException {
    public ConfigurationException(String message) {
        super(message);
    }

    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }

    /** @throws ConfigurationException with the value and the expected ones, if the value of an option is not valid */
    public static void check(boolean valid, String option, Object value, String expected) {
        if (!valid) {
            throw new ConfigurationException(option + " is " + value + "; it must be " + expected + ".");
        }
    }
}
