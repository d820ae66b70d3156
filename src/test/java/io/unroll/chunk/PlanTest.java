package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz.";
    private static final TokenSource.Opener TEXT = hadoop -> (from, target, offset, count) -> {
        for (int i = 0; i < count; i++) {
            target[offset + i] = LETTERS.charAt((int) from + i);
        }
    };

    @Test
    void followsTheExampleInTheJavadoc() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, LETTERS.length(), 2, 2, 3);

        assertEquals(2, plan.chunks());
        assertEquals(2, plan.leftOut());
        Batches first = plan.open(0, 0, null);
        Batches second = plan.open(1, 0, null);
        assertBatch("abc ghi", "bcd hij", first.chunk(0, 2));
        assertBatch("def jkl", "efg klm", first.chunk(1, 2));
        assertBatch("mno stu", "nop tuv", second.chunk(0, 2));
        assertBatch("pqr vwx", "qrs wxy", second.chunk(1, 2));
    }

    @Test
    void lastChunkIsShorterIfStepsAreNotAMultiple() throws IOException {
        LanePlan plan = LanePlan.of(TEXT, LETTERS.length(), 1, 2, 5);

        assertEquals(3, plan.chunks());
        assertBatch("klm xyz", "lmn yz.", plan.open(0, 0, null).chunk(2, 3));
    }

    @Test
    void readsChunksAcrossWindowBorders() throws IOException {
        TokenSource.Opener numbers = hadoop -> (from, target, offset, count) -> {
            for (int i = 0; i < count; i++) {
                target[offset + i] = (int) from + i;
            }
        };
        LanePlan plan = LanePlan.of(numbers, 50_000, 2, 2, 100);
        Batches lanes = plan.open(1, 0, null);
        for (int chunk = 3; chunk < plan.chunks(); chunk++) {
            Batch batch = lanes.chunk(chunk, plan.chunks());
            assertEquals(plan.laneStart(1, 1) + chunk * 100L, batch.inputs()[batch.steps()]);
            assertEquals(batch.inputs()[0] + batch.steps(), batch.targets()[batch.steps() - 1]);
        }
    }

    @Test
    void tooFewTokensAreRejectedWithTheLargestValuesThatFit() {
        String message = assertThrows(ConfigurationException.class, () -> LanePlan.of(TEXT, 1000, 4, 16, 64))
                .getMessage();

        assertTrue(message.contains("training.batch = 3; training.tbptt = 15"), message);
        LanePlan.of(TEXT, 1000, 4, 3, 64);
        LanePlan.of(TEXT, 1000, 4, 16, 15);
        assertThrows(ConfigurationException.class, () -> LanePlan.of(TEXT, 1000, 4, 4, 64));
        assertThrows(ConfigurationException.class, () -> LanePlan.of(TEXT, 1000, 4, 16, 16));
    }

    private static void assertBatch(String inputs, String targets, Batch batch) {
        assertArrayEquals(inputs.replace(" ", "").chars().toArray(), batch.inputs());
        assertArrayEquals(targets.replace(" ", "").chars().toArray(), batch.targets());
    }
}
