package io.unroll.config;

import org.apache.commons.lang3.StringUtils;

/** A setting has an invalid value; {@link SettingsReader} adds the file and line to the message. */
final class InvalidSettingException extends RuntimeException {
    private static final int MAX_SHOWN = 200;

    private final String key;

    private InvalidSettingException(String key, String message) {
        super(message);
        this.key = key;
    }

    String key() {
        return key;
    }

    static InvalidSettingException of(String key, Object value, String expected) {
        String shown = value.toString().isEmpty() ? "empty" : StringUtils.abbreviate(value.toString(), MAX_SHOWN);
        return new InvalidSettingException(key, key + " is " + shown + "; it must be " + expected + ".");
    }

    static void check(boolean valid, String key, Object value, String expected) {
        if (!valid) {
            throw of(key, value, expected);
        }
    }
}
