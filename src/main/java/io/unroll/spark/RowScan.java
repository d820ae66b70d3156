package io.unroll.spark;

import io.unroll.config.UnrollException;
import io.unroll.text.Row;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What one pass over rows finds. It does not depend on the order of the rows, and scans of parts can be added. */
final class RowScan implements Serializable {
    private long rows;
    private long characters;
    /** Sums of the first and of the second eight bytes of the rows' hashes. */
    private long hash;

    private long secondHash;
    private final Map<String, Long> skipped = new TreeMap<>();
    private final GroupSizes groups = new GroupSizes();
    private final Map<String, Map<String, Long>> counts = new HashMap<>();

    void add(Row row, RowHash hashes) {
        ByteBuffer digest = hashes.digest(row);
        rows++;
        hash += digest.getLong();
        // A weight of 1 leaves the identity of rows without weights.
        secondHash += digest.getLong() ^ Double.doubleToLongBits(RowWeights.of(row)) ^ Double.doubleToLongBits(1);
        characters += hashes.characters(row);
    }

    void addGroup(String stratum, String group) {
        groups.add(stratum, RowHash.of(group));
    }

    void addCounts(Map<String, Map<String, Long>> more) {
        more.forEach((name, symbols) -> {
            Map<String, Long> sums = counts.computeIfAbsent(name, any -> new HashMap<>());
            symbols.forEach((symbol, count) -> sums.merge(symbol, count, Long::sum));
        });
    }

    void skip(String reason) {
        skipped.merge(reason, 1L, Long::sum);
    }

    void add(RowScan other) {
        rows += other.rows;
        characters += other.characters;
        hash += other.hash;
        secondHash += other.secondHash;
        other.skipped.forEach((reason, count) -> skipped.merge(reason, count, Long::sum));
        groups.add(other.groups);
        addCounts(other.counts);
    }

    long rows() {
        return rows;
    }

    long characters() {
        return characters;
    }

    /** @return number of skipped rows by reason */
    Map<String, Long> skipped() {
        return skipped;
    }

    GroupSizes groups() {
        return groups;
    }

    /** @return how often each symbol occurs, by vocabulary */
    Map<String, Map<String, Long>> counts() {
        return counts;
    }

    long hash() {
        return hash;
    }

    /**
     * @param origin of the rows, for the message
     * @param hashOfOthers sum of the hashes of the rows that were read again
     * @throws UnrollException if they are other rows
     */
    void checkSame(String origin, long hashOfOthers) {
        if (hashOfOthers != hash) {
            throw new UnrollException(origin + " had other rows when it was read again: it is being written, or a query"
                    + " gives other rows each time. Copy the rows to a table, and train on that.");
        }
    }

    /** @return a text that identifies the content of the rows */
    String identity() {
        return rows + " " + hash + " " + secondHash;
    }
}
