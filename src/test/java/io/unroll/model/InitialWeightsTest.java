package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

class InitialWeightsTest {
    private static final int SEEDS = 4;

    /** Includes seed 0, for which ND4J takes the time of day. */
    @Test
    void sameSeedGivesTheSameWeightsAndDropoutAtAnyTime() throws InterruptedException {
        for (long seed : new long[] {0, 1, -1, 1L << 32, Long.MIN_VALUE, Long.MAX_VALUE}) {
            float[] once = trained(seed);
            Thread.sleep(3);
            assertArrayEquals(once, trained(seed), "seed " + seed);
        }
    }

    private static float[] trained(long seed) {
        try (Network network = new Network(TestShapes.shape(5, "hidden = 4, embedding = 3, dropout = 0.5"), seed)) {
            Batch batch = new Batch(2, 2, new int[] {0, 1, 2, 3}, new int[] {1, 2, 3, 4});
            network.train(batch, 0.1, 0, 0, Seeds.of(seed, 0));
            return network.parameters();
        }
    }

    @Test
    void neighbouringSeedsShareNoWeights() {
        List<float[]> matrices = new ArrayList<>();
        NetworkShape shape = bidirectionalAttention();
        for (long seed = 0; seed < SEEDS; seed++) {
            float[] parameters = shape.initialParameters(seed);
            for (NetworkShape.Part part : shape.parts()) {
                float[] partParameters = Arrays.copyOfRange(parameters, part.start(), part.start() + part.size());
                // The first numbers are weights of an embedding or an attention, not biases.
                matrices.add(Arrays.copyOf(partParameters, 12));
            }
        }
        assertEquals(4 * SEEDS, matrices.size());
        for (int i = 0; i < matrices.size(); i++) {
            for (int j = 0; j < i; j++) {
                assertFalse(Arrays.equals(matrices.get(i), matrices.get(j)), i + " and " + j);
            }
        }
    }

    /** A decoder, two text encoders and attention: four parts. */
    private static NetworkShape bidirectionalAttention() {
        NetworkShape shape =
                TestShapes.shape(7, "hidden = 6, embedding = 4, attention = general, bidirectional = true");
        return shape.withSource(shape.model(), 7);
    }

    /** Executors receive their weights from the driver. */
    @Test
    void networkWithoutASeedDrawsNoRandomNumbers() {
        NetworkShape shape = bidirectionalAttention();
        Nd4j.getRandom().setSeed(7);
        long first = Nd4j.getRandom().nextLong();
        Nd4j.getRandom().setSeed(7);
        try (Network network = new Network(shape)) {
            assertEquals(first, Nd4j.getRandom().nextLong());
            assertArrayEquals(new float[shape.parameters()], network.parameters());
        }
    }
}
