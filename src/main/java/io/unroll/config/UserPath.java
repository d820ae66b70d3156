package io.unroll.config;

import java.nio.file.Path;
import java.util.regex.Pattern;

/** Converts paths as users write them into paths that Hadoop reads as the same file. */
public final class UserPath {
    /** A file name with a colon, which Hadoop would parse as a URI. */
    private static final Pattern NAME_WITH_COLON = Pattern.compile("[^/]*:([^/].*)?", Pattern.DOTALL);

    private UserPath() {}

    /**
     * @return the path, with the user's home folder instead of {@code ~}, and {@code ./} before a name with a colon
     * @throws ConfigurationException for the home folder of another user, {@code ~name}
     */
    public static String expanded(String path) {
        if (NAME_WITH_COLON.matcher(path).matches()) {
            return "./" + path;
        }
        if (!path.startsWith("~")) {
            return path;
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
