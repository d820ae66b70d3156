package io.unroll.spark;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Measures wall time by phase, for display only: no result depends on it. */
final class PhaseTimer {
    private final Map<String, Double> seconds = new LinkedHashMap<>();

    <T> T time(String phase, Supplier<T> work) {
        long start = System.nanoTime();
        T result = work.get();
        put(phase, (System.nanoTime() - start) / 1e9);
        return result;
    }

    void time(String phase, Runnable work) {
        time(phase, () -> {
            work.run();
            return null;
        });
    }

    void put(String phase, double duration) {
        seconds.put(phase, duration);
    }

    Map<String, Double> seconds() {
        return Collections.unmodifiableMap(new LinkedHashMap<>(seconds));
    }
}
