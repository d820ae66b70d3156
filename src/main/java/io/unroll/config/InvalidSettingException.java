package io.unroll.config;

/** One setting's value is out of its range; {@link SettingsReader} adds the file and line to the message. */
final class InvalidSettingException extends RuntimeException {
    private final String key;

    private InvalidSettingException(String key, String message) {
        super(message);
        this.key = key;
    }

    String key() {
        return key;
    }

    static void check(boolean holds, String key, Object value, String must) {
        if (!holds) {
            throw new InvalidSettingException(key, key + " is " + value + "; it must be " + must + ".");
        }
    }
}
