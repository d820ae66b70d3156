package io.unroll.config;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Names of settings and of their values in configuration files and messages. */
public final class SettingNames {
    private static final int MAX_COMPARED_LENGTH = 100;

    private SettingNames() {}

    /** @return the name of an enum constant in configuration files, such as language-model for LANGUAGE_MODEL */
    public static String kebab(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @return the known key with the smallest edit distance to the name, in any group; empty if none is similar */
    static Optional<String> nearest(String name, List<String> known) {
        int maxDistance = 1 + leaf(name).length() / 3;
        return Optional.of(name)
                .filter(given -> given.length() <= MAX_COMPARED_LENGTH)
                .flatMap(given -> known.stream()
                        .filter(key -> distance(name, key) <= maxDistance)
                        .min(Comparator.comparing((String key) -> distance(name, key))
                                .thenComparing(Comparator.naturalOrder())));
    }

    private static int distance(String name, String key) {
        var edits = LevenshteinDistance.getDefaultInstance();
        return Math.min(edits.apply(name, key), 1 + edits.apply(leaf(name), leaf(key)));
    }

    private static String leaf(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }
}
