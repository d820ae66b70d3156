package io.unroll.spark;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The number of rows in groups, by stratum. Groups whose hashes have the same first 16 bits are in one bucket and are
 * counted together.
 */
final class GroupSizes implements Serializable {
    private static final int BUCKETS = 1 << 16;
    private static final int MAX_SPARSE = 1 << 12;

    private final Map<String, Stratum> strata = new TreeMap<>();

    private static final class Stratum implements Serializable {
        /** The number of rows by bucket; empty if there are many buckets. */
        private final Map<Integer, Long> sparse = new HashMap<>();
        /** The number of rows in each bucket; null if there are few. */
        private long[] dense;

        void add(int bucket, long rows) {
            if (dense != null) {
                dense[bucket] += rows;
                return;
            }
            sparse.merge(bucket, rows, Long::sum);
            if (sparse.size() > MAX_SPARSE) {
                dense = all();
                sparse.clear();
            }
        }

        void add(Stratum other) {
            if (other.dense == null) {
                other.sparse.forEach(this::add);
            } else {
                IntStream.range(0, BUCKETS).forEach(bucket -> add(bucket, other.dense[bucket]));
            }
        }

        long[] all() {
            if (dense != null) {
                return dense;
            }
            long[] all = new long[BUCKETS];
            sparse.forEach((bucket, rows) -> all[bucket] = rows);
            return all;
        }
    }

    /** @return the bucket of a group's hash */
    static int bucket(long hash) {
        return (int) (hash >>> (Long.SIZE - 16));
    }

    /** @param hash of the row's group */
    void add(String stratum, long hash) {
        of(stratum).add(bucket(hash), 1);
    }

    private Stratum of(String name) {
        return strata.computeIfAbsent(name, any -> new Stratum());
    }

    void add(GroupSizes other) {
        other.strata.forEach((name, stratum) -> of(name).add(stratum));
    }

    /** @return the number of rows in each stratum */
    LongStream rows() {
        return strata.values().stream()
                .mapToLong(stratum -> LongStream.of(stratum.all()).sum());
    }

    /** @param action receives the name of the stratum, and the number of rows in each bucket */
    void forEach(BiConsumer<String, long[]> action) {
        strata.forEach((name, stratum) -> action.accept(name, stratum.all()));
    }
}
