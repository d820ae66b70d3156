package io.unroll.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** The versions of Unroll, of its main libraries, and of the Spark and Java that run it. */
public final class Versions {
    private Versions() {}

    public static Map<String, String> all() {
        Map<String, String> versions = new TreeMap<>();
        read("/unroll.properties").forEach((name, version) -> versions.put((String) name, (String) version));
        // In Spark's jars
        versions.put("spark", read("/spark-version-info.properties").getProperty("version", "none"));
        versions.put("java", Runtime.version().toString());
        return versions;
    }

    private static Properties read(String resource) {
        Properties properties = new Properties();
        try (InputStream in = Versions.class.getResourceAsStream(resource)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }
}
