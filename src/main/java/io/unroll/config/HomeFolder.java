package io.unroll.config;

import java.nio.file.Path;

/** {@code ~} at the start of a path, which a shell leaves alone where the path is a part of a word. */
public final class HomeFolder {
    private HomeFolder() {}

    /**
     * @return the path, with the user's home folder in the place of {@code ~}
     * @throws ConfigurationException for another user's, {@code ~name}
     */
    public static String expanded(String path) {
        if (!path.startsWith("~")) {
            return path;
        }
        if (path.length() > 1 && path.charAt(1) != '/') {
            throw new ConfigurationException(path + ", and only ~/ stands for a home folder, your own: write the path"
                    + " out, or ./" + path + " for a name that begins with ~.");
        }
        String home = System.getenv().getOrDefault("HOME", System.getProperty("user.home"));
        if (!Path.of(home).isAbsolute()) {
            throw new ConfigurationException(path + ", and your home folder is not known: write the path out.");
        }
        return home + path.substring(1);
    }
}
