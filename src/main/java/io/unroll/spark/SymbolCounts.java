package io.unroll.spark;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/** How often each symbol occurs in rows, by vocabulary name. */
final class SymbolCounts implements Serializable {
    private static final long serialVersionUID = 1;

    private final Map<String, Map<String, Long>> counts = new HashMap<>();
    private long hash;

    void addHash(long rowHash) {
        hash += rowHash;
    }

    void add(Map<String, Map<String, Long>> others) {
        others.forEach((name, symbols) -> symbols.forEach((symbol, count) ->
                counts.computeIfAbsent(name, any -> new HashMap<>()).merge(symbol, count, Long::sum)));
    }

    void add(SymbolCounts other) {
        hash += other.hash;
        add(other.counts);
    }

    Map<String, Map<String, Long>> counts() {
        return counts;
    }

    /** @return the sum of the hashes of all rows, counted or not */
    long hash() {
        return hash;
    }
}
