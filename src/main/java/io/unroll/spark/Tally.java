package io.unroll.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** Which rows there are: of each stratum the hashes of its rows' groups, by the files' parts. */
final class Tally implements Serializable {
    private static final long serialVersionUID = 1;

    private final Map<String, List<long[]>> hashes = new TreeMap<>();
    private long skipped;

    /** @param own of each stratum, the hashes of its rows' groups */
    Tally(Map<String, long[]> own, long skipped) {
        own.forEach((stratum, each) -> hashes.put(stratum, new ArrayList<>(List.of(each))));
        this.skipped = skipped;
    }

    long skipped() {
        return skipped;
    }

    void add(Tally other) {
        other.hashes.forEach((stratum, each) ->
                hashes.computeIfAbsent(stratum, any -> new ArrayList<>()).addAll(each));
        skipped += other.skipped;
    }

    Map<String, long[]> groups() {
        Map<String, long[]> all = new TreeMap<>();
        hashes.forEach((stratum, each) ->
                all.put(stratum, each.stream().flatMapToLong(LongStream::of).toArray()));
        return all;
    }

    long rows() {
        return groups().values().stream().mapToLong(each -> each.length).sum();
    }
}
