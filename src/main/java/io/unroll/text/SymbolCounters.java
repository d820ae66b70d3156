package io.unroll.text;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Counts the symbols of rows, for each vocabulary. */
public final class SymbolCounters {
    private final Map<String, SymbolCounter> counters = new HashMap<>();

    public SymbolCounter of(String vocabulary) {
        return counters.computeIfAbsent(vocabulary, name -> new SymbolCounter());
    }

    /** @return by vocabulary name, how often each symbol occurs */
    public Map<String, Map<String, Long>> counts() {
        Map<String, Map<String, Long>> counts = new TreeMap<>();
        counters.forEach((name, counter) -> counts.put(name, counter.counts()));
        return counts;
    }
}
