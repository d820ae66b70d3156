package io.unroll.chunk;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The size of a prepared corpus.
 *
 * @param counts by user-visible name, such as {@code tokens} or {@code training}
 * @param vocabulary number of symbols
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
                        .map(count -> String.format(Locale.ROOT, "%,d %s, ", count.getValue(), count.getKey()))
                        .collect(Collectors.joining())
                + String.format(Locale.ROOT, "vocabulary of %,d", vocabulary);
    }
}
