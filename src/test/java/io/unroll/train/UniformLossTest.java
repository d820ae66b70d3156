package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class UniformLossTest {
    private static final UniformLoss BYTES = new UniformLoss(Math.log(256));
    private static final UniformLoss TWO_LABELS = new UniformLoss(Math.log(2));

    @Test
    void aLossIsAbsurdAboveTenTimesThatOfEqualProbabilitiesAndTwentyNats() {
        assertFalse(BYTES.isAbsurd(55));
        assertTrue(BYTES.isAbsurd(56));
        // Confident and always wrong, as after a warm start on swapped labels.
        assertFalse(TWO_LABELS.isAbsurd(19));
        assertTrue(TWO_LABELS.isAbsurd(21));
        assertTrue(TWO_LABELS.isAbsurd(Double.NaN));
        assertTrue(TWO_LABELS.isAbsurd(Double.POSITIVE_INFINITY));
    }

    @Test
    void aModelIsWorseThanChanceAboveIt() {
        assertFalse(TWO_LABELS.isBelow(0.69));
        assertTrue(TWO_LABELS.isBelow(0.70));
    }
}
