package io.unroll.spark;

import io.unroll.chunk.SequenceIndex.Section;
import java.io.Serializable;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * Splits rows into training, validation and test by a hash of their groups. In each stratum, the rows with the lowest
 * hashes are the test split, and those with the next higher hashes the validation split. The first 16 bits of a hash,
 * its bucket, decide, so a group is never divided within its stratum, and only the number of rows in each bucket has to be known. A bucket
 * with more rows than the entire test or validation share goes to training. At least one bucket of each stratum goes to
 * training.
 */
final class StratifiedGroupSplit implements Serializable {
    private final Map<String, Bounds> bounds = new TreeMap<>();

    private record Bounds(Share test, Share validation) implements Serializable {}

    /** The buckets of a stratum up to a certain one, except those with more rows than the entire share. */
    private static final class Share implements Serializable {
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
     * @param validation share of the rows, 0 to 1
     * @param test share of the rows, 0 to 1
     */
    StratifiedGroupSplit(GroupSizes sizes, double validation, double test) {
        sizes.forEach((stratum, rows) -> bounds.put(stratum, bounds(rows, validation, test)));
    }

    /** @param sizes number of rows in each bucket */
    private static Bounds bounds(long[] sizes, double validation, double test) {
        long rows = LongStream.of(sizes).sum();
        Share testShare = new Share(Math.round(rows * test));
        Share validationShare = new Share(Math.round(rows * (test + validation)) - testShare.maxRows);
        int last = sizes.length - 1;
        while (sizes[last] == 0) {
            last--;
        }
        for (int bucket = 0; bucket < last; bucket++) {
            if (!testShare.isFull()) {
                testShare.add(bucket, sizes[bucket]);
            }
            if (!testShare.contains(bucket) && !validationShare.isFull()) {
                validationShare.add(bucket, sizes[bucket]);
            }
        }
        return new Bounds(testShare, validationShare);
    }

    Section section(String stratum, long hash) {
        int bucket = GroupSizes.bucket(hash);
        Bounds stratumBounds = bounds.get(stratum);
        if (stratumBounds.test.contains(bucket)) {
            return Section.TEST;
        }
        return stratumBounds.validation.contains(bucket) ? Section.VALIDATION : Section.TRAINING;
    }
}
