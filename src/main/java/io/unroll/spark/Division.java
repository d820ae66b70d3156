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
 * Divides rows between training, validation and test: of each stratum the rows with the lowest hashes are the test, and
 * those with the next ones validation. Rows of one stratum and group have one hash, so they stay together; a group that
 * is larger than what the test or validation should have is training, and so is a group of each stratum at the least.
 */
final class Division implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int TRAINING = 0;
    private static final int VALIDATION = 1;
    private static final int TEST = 2;

    private final Map<String, Bounds> bounds = new TreeMap<>();

    private final long[] rows = new long[3];
    private long validationWanted;
    private final int[] firstPart = new int[4];

    private record Bounds(Share test, Share validation) implements Serializable {}

    /** The groups of a stratum up to a hash, but for those that are larger than the share should be. */
    private static final class Share implements Serializable {
        private static final long serialVersionUID = 1;

        private final int most;
        private final Set<Long> large = new HashSet<>();
        private int rows;
        private Long last;

        Share(int most) {
            this.most = most;
        }

        void take(long hash, int size) {
            if (size > most) {
                large.add(hash);
            } else {
                rows += size;
                last = hash;
            }
        }

        boolean has(long hash) {
            return last != null && hash <= last && !large.contains(hash);
        }
    }

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
        groups.forEach((stratum, hashes) -> {
            division.bounds.put(stratum, bounds(hashes, validation, test));
            division.validationWanted += held(hashes.length, test + validation) - held(hashes.length, test);
        });
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

    /** @throws ConfigurationException if there are rows enough for validation, but none that may leave its group */
    void checkValidation(double share) {
        if (validationWanted > 0 && rows[VALIDATION] == 0) {
            throw new ConfigurationException("corpus.validation = " + share + " asks for " + validationWanted
                    + " rows, but none can be held out: duplicates (rows with the same text and label, source or "
                    + "image) must stay in one part, and the groups of duplicates are too large. Remove duplicate "
                    + "rows, or set corpus.validation to 0.");
        }
    }

    private static int held(int rows, double share) {
        return (int) Math.round(rows * share);
    }

    private static Bounds bounds(long[] hashes, double validation, double test) {
        long[] sorted = LongStream.of(hashes).sorted().toArray();
        int tests = held(sorted.length, test);
        int held = held(sorted.length, test + validation);
        // The last group is training.
        int free = sorted.length - size(sorted, sorted.length - 1);
        Share ofTest = new Share(tests);
        for (int i = 0; i < free && ofTest.rows < tests; i += size(sorted, i)) {
            ofTest.take(sorted[i], size(sorted, i));
        }
        Share ofValidation = new Share(held - tests);
        for (int i = 0; i < free && ofTest.rows + ofValidation.rows < held; i += size(sorted, i)) {
            if (!ofTest.has(sorted[i])) {
                ofValidation.take(sorted[i], size(sorted, i));
            }
        }
        return new Bounds(ofTest, ofValidation);
    }

    /** @return rows of the group that has the i-th hash, from there on */
    private static int size(long[] sorted, int i) {
        int end = i;
        while (end < sorted.length && sorted[end] == sorted[i]) {
            end++;
        }
        return end - i;
    }

    static long hash(String group) {
        byte[] digest = Prepare.sha256().digest(group.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(digest).getLong();
    }

    private int split(String stratum, long hash) {
        Bounds own = bounds.get(stratum);
        if (own.test.has(hash)) {
            return TEST;
        }
        return own.validation.has(hash) ? VALIDATION : TRAINING;
    }

    boolean isTraining(String stratum, String group) {
        return split(stratum, hash(group)) == TRAINING;
    }

    Place place(String stratum, String group) {
        long hash = hash(group);
        int split = split(stratum, hash);
        // Those of one split have hashes of about one range.
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
        return new ExampleIndex(
                hash, parts, rows[TRAINING], rows[VALIDATION], rows[TEST], longest, tokens, skipped, null);
    }
}
