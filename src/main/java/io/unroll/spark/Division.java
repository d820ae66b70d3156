package io.unroll.spark;

import io.unroll.chunk.ExampleIndex;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.function.Function;

/**
 * Divides rows between training, validation and test: of each stratum the rows with the lowest hashes are the test, and
 * those with the next ones validation. Rows of one stratum and group have one hash, so they stay together.
 */
final class Division implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int TRAINING = 0;
    private static final int VALIDATION = 1;
    private static final int TEST = 2;

    /** Of each stratum, the largest hash of the test, and the largest one of validation. */
    private final Map<String, Bounds> bounds = new TreeMap<>();

    private final long[] rows = new long[3];
    private final int[] firstPart = new int[4];

    private record Bounds(Long test, Long validation) implements Serializable {}

    /**
     * A row's place.
     *
     * @param part number of the file
     * @param order in the file
     */
    record Place(int part, long order) {}

    private Division() {}

    /**
     * @param groups of each stratum, the hashes of its rows' groups
     * @param parts files of examples, about
     */
    static Division of(Map<String, long[]> groups, double validation, double test, long parts) {
        Division division = new Division();
        groups.forEach((stratum, hashes) -> division.bounds.put(stratum, bounds(hashes, validation, test)));
        long all = 0;
        for (Map.Entry<String, long[]> stratum : groups.entrySet()) {
            for (long hash : stratum.getValue()) {
                division.rows[division.split(stratum.getKey(), hash)]++;
                all++;
            }
        }
        for (int split = TRAINING; split <= TEST; split++) {
            long own = Math.max(1, Math.round((double) parts * division.rows[split] / all));
            division.firstPart[split + 1] = division.firstPart[split] + (int) own;
        }
        return division;
    }

    private static Bounds bounds(long[] hashes, double validation, double test) {
        long[] sorted = LongStream.of(hashes).sorted().toArray();
        int tests = Math.min(sorted.length - 1, (int) Math.round(sorted.length * test));
        int held = Math.min(sorted.length - 1, (int) Math.round(sorted.length * (test + validation)));
        return new Bounds(tests == 0 ? null : sorted[tests - 1], held == tests ? null : sorted[held - 1]);
    }

    static long hash(String group) {
        byte[] digest = Prepare.sha256().digest(group.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(digest).getLong();
    }

    private int split(String stratum, long hash) {
        Bounds own = bounds.get(stratum);
        if (own.test != null && hash <= own.test) {
            return TEST;
        }
        return own.validation != null && hash <= own.validation ? VALIDATION : TRAINING;
    }

    boolean isTraining(String stratum, String group) {
        return split(stratum, hash(group)) == TRAINING;
    }

    Place place(String stratum, String group) {
        long hash = hash(group);
        int split = split(stratum, hash);
        // Those of one split have hashes of one range.
        long order = new SplittableRandom(hash).nextLong() >>> 1;
        int parts = firstPart[split + 1] - firstPart[split];
        return new Place(firstPart[split] + (int) (order / (double) Long.MAX_VALUE * parts * (1 - 1e-12)), order);
    }

    <K> Partitioner partitioner(Function<K, Integer> part) {
        return new ByPart<>(firstPart[3], part);
    }

    private static final class ByPart<K> extends Partitioner {
        private static final long serialVersionUID = 1;

        private final int parts;
        private final Function<K, Integer> part;

        ByPart(int parts, Function<K, Integer> part) {
            this.parts = parts;
            this.part = part;
        }

        @Override
        public int numPartitions() {
            return parts;
        }

        @Override
        @SuppressWarnings("unchecked")
        public int getPartition(Object key) {
            try {
                return part.call((K) key);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    ExampleIndex index(String hash, List<ExampleIndex.Part> parts, int longest, long tokens, long skipped) {
        return new ExampleIndex(hash, parts, rows[TRAINING], rows[VALIDATION], rows[TEST], longest, tokens, skipped);
    }
}
