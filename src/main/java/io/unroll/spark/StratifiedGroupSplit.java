package io.unroll.spark;

import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.text.Row;
import java.io.Serializable;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * Splits rows into training, validation and test by a hash of their groups. In each stratum, the rows with the lowest
 * hashes are the test split, and those with the next higher hashes the validation split. The first 16 bits of a hash,
 * its bucket, decide, so a group is never divided, and only the number of rows in each bucket has to be known. A bucket
 * with more rows than the entire test or validation share goes to training. At least one bucket of each stratum goes to
 * training.
 */
final class StratifiedGroupSplit implements HoldOut {
    private static final long serialVersionUID = 1;
    private static final int BUCKET_SHIFT = 48;

    private final Stratum stratum;
    private final Map<String, Bounds> bounds = new TreeMap<>();

    /** Tells the stratum of a row. */
    interface Stratum extends Serializable {
        String of(Row row);
    }

    private record Bounds(Share test, Share validation) implements Serializable {}

    /** The buckets of a stratum up to a certain one, except those with more rows than the entire share. */
    private static final class Share implements Serializable {
        private static final long serialVersionUID = 1;

        private final long maxRows;
        private final Set<Integer> tooLarge = new HashSet<>();
        private long rows;
        private int lastBucket = -1;

        Share(long maxRows) {
            this.maxRows = maxRows;
        }

        void add(int bucket, long size) {
            if (size > maxRows) {
                tooLarge.add(bucket);
            } else {
                rows += size;
                lastBucket = bucket;
            }
        }

        boolean isFull() {
            return rows >= maxRows;
        }

        boolean contains(int bucket) {
            return bucket <= lastBucket && !tooLarge.contains(bucket);
        }
    }

    /**
     * @param buckets by stratum, the number of rows in each bucket
     * @param validation share of the rows, 0 to 1
     * @param test share of the rows, 0 to 1
     */
    StratifiedGroupSplit(Map<String, Map<Integer, Long>> buckets, double validation, double test, Stratum stratum) {
        this.stratum = stratum;
        buckets.forEach((name, counts) -> bounds.put(name, bounds(new TreeMap<>(counts), validation, test)));
    }

    private static Bounds bounds(NavigableMap<Integer, Long> counts, double validation, double test) {
        long rows = counts.values().stream().mapToLong(Long::longValue).sum();
        Share testShare = new Share(Math.round(rows * test));
        Share validationShare = new Share(Math.round(rows * (test + validation)) - testShare.maxRows);
        counts.headMap(counts.lastKey()).forEach((bucket, size) -> {
            if (!testShare.isFull()) {
                testShare.add(bucket, size);
            }
            if (!testShare.contains(bucket) && !validationShare.isFull()) {
                validationShare.add(bucket, size);
            }
        });
        return new Bounds(testShare, validationShare);
    }

    /** @return the bucket of a group's hash, from 0 to 65,535 */
    static int bucket(long hash) {
        return (int) (hash >>> BUCKET_SHIFT);
    }

    @Override
    public Section section(Row row, long hash) {
        return section(stratum.of(row), hash);
    }

    Section section(String stratumName, long hash) {
        Bounds stratumBounds = bounds.get(stratumName);
        if (stratumBounds.test.contains(bucket(hash))) {
            return Section.TEST;
        }
        return stratumBounds.validation.contains(bucket(hash)) ? Section.VALIDATION : Section.TRAINING;
    }
}
