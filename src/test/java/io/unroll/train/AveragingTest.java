package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.model.Loss;
import io.unroll.model.RecurrentState;
import java.util.List;
import org.junit.jupiter.api.Test;

class AveragingTest {
    @Test
    void weightsAndOptimizerStateAreWeightedByTokens() {
        Snapshot.Weights mean = Averaging.mean(List.of(result(0, 100, 1, 10), result(1, 300, 5, -2)));

        assertArrayEquals(new float[] {4}, mean.parameters());
        assertArrayEquals(new float[] {1}, mean.optimizerState());
    }

    @Test
    void aNumberThatIsNotFiniteIsSeen() {
        assertTrue(new Snapshot.Weights(new float[] {1, -2}, new float[0]).finite());
        assertFalse(new Snapshot.Weights(new float[] {1, Float.NaN}, new float[0]).finite());
        assertFalse(new Snapshot.Weights(new float[] {1}, new float[] {Float.NEGATIVE_INFINITY}).finite());
    }

    private static ReplicaResult result(int replica, long tokens, float weight, float memory) {
        return new ReplicaResult(
                replica,
                new Snapshot.Weights(new float[] {weight}, new float[] {memory}),
                RecurrentState.ZERO,
                new Loss(1, tokens),
                0.1,
                null);
    }
}
