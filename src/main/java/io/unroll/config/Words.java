package io.unroll.config;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** The wording that messages about names share. */
public final class Words {
    private static final int MAX_COMPARED_LENGTH = 100;

    private Words() {}

    /** @return the name of an enum constant as configuration files write it, LANGUAGE_MODEL as language-model */
    public static String kebab(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @return the known key that the name most likely means, in its own group or another; empty where none is near */
    static Optional<String> nearest(String name, List<String> known) {
        int near = 1 + leaf(name).length() / 3;
        return Optional.of(name)
                .filter(any -> name.length() <= MAX_COMPARED_LENGTH)
                .flatMap(any -> known.stream()
                        .filter(key -> distance(name, key) <= near)
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

    static String oneOf(List<String> names) {
        return names.size() == 1 ? names.get(0) : "one of " + String.join(", ", names);
    }
}
