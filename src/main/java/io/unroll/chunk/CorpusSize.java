package io.unroll.chunk;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a prepared corpus holds.
 *
 * @param counts of what, by the names that users read
 */
public record CorpusSize(Map<String, Long> counts, int vocabulary) {
    static CorpusSize of(TokenIndex index, int vocabulary) {
        return new CorpusSize(Map.of("tokens", index.tokens()), vocabulary);
    }

    static CorpusSize of(ExampleIndex index, int vocabulary) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("examples", index.examples());
        counts.put("training", index.training());
        counts.put("validation", index.validation());
        counts.put("test", index.test());
        counts.put("skipped", index.skipped());
        counts.put("tokens", index.tokens());
        return new CorpusSize(counts, vocabulary);
    }

    @Override
    public String toString() {
        return counts.entrySet().stream()
                        .map(each -> String.format(Locale.ROOT, "%,d %s, ", each.getValue(), each.getKey()))
                        .collect(Collectors.joining())
                + String.format(Locale.ROOT, "vocabulary of %,d", vocabulary);
    }
}
