package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SeedsTest {
    private static final int SEEDS = 12;
    private static final int EPOCHS = 12;
    private static final int REPLICAS = 4;
    private static final int CHUNKS = 130;

    /** For runs with consecutive seeds. */
    @Test
    void derivedSeedsAreDistinctWithinAndAcrossRuns() {
        Map<Long, String> seen = new HashMap<>();
        for (long run = 0; run < SEEDS; run++) {
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                add(seen, Seeds.of(run, epoch), "weights of part " + epoch + " of run " + run);
                for (int replica = 0; replica < REPLICAS; replica++) {
                    String suffix = " of replica " + replica + " in epoch " + epoch + " of run " + run;
                    long replicaSeed = Seeds.of(run, epoch, replica);
                    add(seen, replicaSeed, "all" + suffix);
                    for (int chunk = 0; chunk < CHUNKS; chunk++) {
                        add(seen, Seeds.of(run, epoch, replica, chunk), "dropout in chunk " + chunk + suffix);
                        add(seen, Seeds.of(replicaSeed, chunk), "shuffle from batch " + chunk + suffix);
                    }
                }
            }
        }
        assertEquals(SEEDS * EPOCHS * (1 + REPLICAS * (1 + 2 * CHUNKS)), seen.size());
    }

    private static void add(Map<Long, String> seen, long seed, String what) {
        String other = seen.putIfAbsent(seed, what);
        assertTrue(other == null, () -> what + " has the same seed as " + other);
    }

    @Test
    void derivedSeedIsNeverZero() {
        long unmixed = -0x9E3779B97F4A7C15L;

        assertEquals(1, Seeds.of(unmixed));
        assertNotEquals(0, Seeds.of(0));
    }
}
