package io.unroll.spark;

import io.unroll.chunk.ExampleIndex;
import io.unroll.config.ConfigurationException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.function.Function;

/**
 * Splits rows into training, validation and test by a hash of their groups. In each stratum, the rows with the lowest
 * hashes are the test split, and those with the next higher hashes the validation split. Rows of the same stratum and
 * group have the same hash, so a group is never divided. A group that is larger than the entire test or validation
 * share goes to training. At least one group of each stratum goes to training.
 */
final class StratifiedGroupSplit implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int TRAINING = 0;
    private static final int VALIDATION = 1;
    private static final int TEST = 2;

    private final Map<String, Bounds> bounds = new TreeMap<>();

    /** Number of rows by split. */
    private final long[] rows = new long[3];

    private long requestedValidationRows;
    /** Number of the first example file by split; the last element is the number of files of all splits. */
    private final int[] firstPart = new int[4];

    private record Bounds(Share test, Share validation) implements Serializable {}

    /** The groups of a stratum up to a hash, except those that are larger than the entire share. */
    private static final class Share implements Serializable {
        private static final long serialVersionUID = 1;

        private final int maxRows;
        private final Set<Long> tooLarge = new HashSet<>();
        private int rows;
        private Long lastHash;

        Share(int maxRows) {
            this.maxRows = maxRows;
        }

        void add(long hash, int size) {
            if (size > maxRows) {
                tooLarge.add(hash);
            } else {
                rows += size;
                lastHash = hash;
            }
        }

        boolean contains(long hash) {
            return lastHash != null && hash <= lastHash && !tooLarge.contains(hash);
        }
    }

    /**
     * The position of a row in the example files.
     *
     * @param part number of the file
     * @param order sort key within the file
     */
    record Position(int part, long order) {}

    private StratifiedGroupSplit() {}

    /**
     * @param groups by stratum, the group hash of each row
     * @param validation share of the rows, 0 to 1
     * @param test share of the rows, 0 to 1
     * @param parts approximate number of example files
     */
    static StratifiedGroupSplit of(Map<String, long[]> groups, double validation, double test, long parts) {
        StratifiedGroupSplit result = new StratifiedGroupSplit();
        groups.forEach((stratum, hashes) -> {
            result.bounds.put(stratum, bounds(hashes, validation, test));
            result.requestedValidationRows += share(hashes.length, test + validation) - share(hashes.length, test);
        });
        long totalRows = 0;
        for (Map.Entry<String, long[]> stratum : groups.entrySet()) {
            for (long hash : stratum.getValue()) {
                result.rows[result.split(stratum.getKey(), hash)]++;
                totalRows++;
            }
        }
        for (int split = TRAINING; split <= TEST; split++) {
            long files = Math.max(1, Math.round((double) parts * result.rows[split] / totalRows));
            result.firstPart[split + 1] = result.firstPart[split] + (int) files;
        }
        return result;
    }

    /** @throws ConfigurationException if validation should have rows, but all groups are too large for it */
    void checkValidation(double share) {
        if (requestedValidationRows > 0 && rows[VALIDATION] == 0) {
            throw new ConfigurationException("corpus.validation = " + share + " asks for " + requestedValidationRows
                    + " rows, but none can be held out: duplicates (rows with the same text and label, source or "
                    + "image) must stay in one part, and the groups of duplicates are too large. Remove duplicate "
                    + "rows, or set corpus.validation to 0.");
        }
    }

    private static int share(int rows, double share) {
        return (int) Math.round(rows * share);
    }

    private static Bounds bounds(long[] hashes, double validation, double test) {
        long[] sorted = LongStream.of(hashes).sorted().toArray();
        int testRows = share(sorted.length, test);
        int heldOutRows = share(sorted.length, test + validation);
        // The last group always goes to training.
        int available = sorted.length - size(sorted, sorted.length - 1);
        Share testShare = new Share(testRows);
        for (int i = 0; i < available && testShare.rows < testRows; i += size(sorted, i)) {
            testShare.add(sorted[i], size(sorted, i));
        }
        Share validationShare = new Share(heldOutRows - testRows);
        for (int i = 0; i < available && testShare.rows + validationShare.rows < heldOutRows; i += size(sorted, i)) {
            if (!testShare.contains(sorted[i])) {
                validationShare.add(sorted[i], size(sorted, i));
            }
        }
        return new Bounds(testShare, validationShare);
    }

    /**
     * @return the number of hashes from index i on that are equal to the i-th: the size of the group that starts there
     */
    private static int size(long[] sorted, int i) {
        int end = i;
        while (end < sorted.length && sorted[end] == sorted[i]) {
            end++;
        }
        return end - i;
    }

    static long hash(String group) {
        byte[] digest = CorpusPreparation.sha256().digest(group.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(digest).getLong();
    }

    private int split(String stratum, long hash) {
        Bounds stratumBounds = bounds.get(stratum);
        if (stratumBounds.test.contains(hash)) {
            return TEST;
        }
        return stratumBounds.validation.contains(hash) ? VALIDATION : TRAINING;
    }

    boolean isTraining(String stratum, String group) {
        return split(stratum, hash(group)) == TRAINING;
    }

    Position position(String stratum, String group) {
        long hash = hash(group);
        int split = split(stratum, hash);
        // Hashed again, because the hashes of one split are all in one range. The factor 1 - 1e-12 keeps the quotient
        // below 1.
        long order = new SplittableRandom(hash).nextLong() >>> 1;
        int parts = firstPart[split + 1] - firstPart[split];
        return new Position(firstPart[split] + (int) (order / (double) Long.MAX_VALUE * parts * (1 - 1e-12)), order);
    }

    <K> Partitioner partitioner(Function<K, Integer> part) {
        return new PartPartitioner<>(firstPart[3], part);
    }

    private static final class PartPartitioner<K> extends Partitioner {
        private static final long serialVersionUID = 1;

        private final int parts;
        private final Function<K, Integer> part;

        PartPartitioner(int parts, Function<K, Integer> part) {
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
        return new ExampleIndex(
                hash, parts, rows[TRAINING], rows[VALIDATION], rows[TEST], longest, tokens, skipped, null);
    }
}
