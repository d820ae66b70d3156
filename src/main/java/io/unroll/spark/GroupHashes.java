package io.unroll.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** The group hash of every usable row, by stratum, and the number of skipped rows. */
final class GroupHashes implements Serializable {
    private static final long serialVersionUID = 1;

    /** By stratum: one array for each part of the files. */
    private final Map<String, List<long[]>> hashes = new TreeMap<>();

    private long skipped;

    /** @param groups by stratum, the group hash of each row */
    GroupHashes(Map<String, long[]> groups, long skipped) {
        groups.forEach((stratum, part) -> hashes.put(stratum, new ArrayList<>(List.of(part))));
        this.skipped = skipped;
    }

    long skipped() {
        return skipped;
    }

    void add(GroupHashes other) {
        other.hashes.forEach((stratum, parts) ->
                hashes.computeIfAbsent(stratum, any -> new ArrayList<>()).addAll(parts));
        skipped += other.skipped;
    }

    /** @return by stratum, the group hash of each row */
    Map<String, long[]> groups() {
        Map<String, long[]> groups = new TreeMap<>();
        hashes.forEach((stratum, parts) ->
                groups.put(stratum, parts.stream().flatMapToLong(LongStream::of).toArray()));
        return groups;
    }

    long rows() {
        return groups().values().stream().mapToLong(rows -> rows.length).sum();
    }
}
