package io.unroll.chunk;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The size of a prepared corpus.
 *
 * @param counts by user-visible name, such as {@code tokens} or {@code training}
 * @param vocabulary number of symbols
 * @param skipped number of malformed rows by reason
 */
public record CorpusSize(Map<String, Long> counts, int vocabulary, Map<String, Long> skipped) {
    @Override
    public String toString() {
        return counts.entrySet().stream()
                        .map(count -> String.format(Locale.ROOT, "%,d %s, ", count.getValue(), count.getKey()))
                        .collect(Collectors.joining())
                + String.format(Locale.ROOT, "vocabulary of %,d", vocabulary)
                + (skipped.isEmpty() ? "" : "; skipped " + reasons(skipped, "; skipped "));
    }

    /** @return the number of skipped rows, whatever the reason */
    public static long sum(Map<String, Long> skipped) {
        return skipped.values().stream().mapToLong(Long::longValue).sum();
    }

    /** @return the number of skipped rows with each reason, for messages */
    public static String reasons(Map<String, Long> skipped, String separator) {
        return skipped.entrySet().stream()
                .map(reason -> String.format(Locale.ROOT, "%,d x %s", reason.getValue(), reason.getKey()))
                .collect(Collectors.joining(separator));
    }
}
