package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class UniformLossTest {
    private static final UniformLoss BYTES = new UniformLoss(Math.log(256));
    private static final UniformLoss TWO_LABELS = new UniformLoss(Math.log(2));

    @Test
    void divergedAboveTenTimesTheUniformLossAndTwentyNats() {
        assertFalse(BYTES.isDiverged(55));
        assertTrue(BYTES.isDiverged(56));
        // The loss of a model that is confident and wrong, for example after a warm start on swapped labels.
        assertFalse(TWO_LABELS.isDiverged(19));
        assertTrue(TWO_LABELS.isDiverged(21));
        assertTrue(TWO_LABELS.isDiverged(Double.NaN));
        assertTrue(TWO_LABELS.isDiverged(Double.POSITIVE_INFINITY));
    }

    @Test
    void aHigherLossExceedsTheUniformLoss() {
        assertFalse(TWO_LABELS.isExceededBy(0.69));
        assertTrue(TWO_LABELS.isExceededBy(0.70));
    }
}
