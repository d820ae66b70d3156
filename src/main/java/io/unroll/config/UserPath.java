package io.unroll.config;

import java.nio.file.Path;

/** Converts paths as users write them into paths that Hadoop reads as the same file. */
public final class UserPath {
    private UserPath() {}

    /**
     * @return the path, with the user's home folder instead of {@code ~}, and {@code ./} before a name with a colon
     * @throws ConfigurationException for the home folder of another user, {@code ~name}
     */
    public static String expanded(String path) {
        String plain = SettingsReader.plainPath(path);
        if (!plain.startsWith("~")) {
            return plain;
        }
        if (path.length() > 1 && path.charAt(1) != '/') {
            throw new ConfigurationException(path + ": only ~/, your own home folder, is expanded. Write the full path,"
                    + " or ./" + path + " for a name that begins with ~.");
        }
        String home = System.getenv().getOrDefault("HOME", System.getProperty("user.home"));
        if (!Path.of(home).isAbsolute()) {
            throw new ConfigurationException(path + ": your home folder is not known. Write the full path.");
        }
        return home + path.substring(1);
    }
}
