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
    private static final TokenSource SOURCE = (from, target, offset, count) -> {
        for (int i = 0; i < count; i++) {
            target[offset + i] = LETTERS.charAt((int) from + i);
        }
    };

    @Test
    void followsTheExampleInTheJavadoc() throws IOException {
        LanePlan plan = LanePlan.of(LETTERS.length(), 2, 2, 3);

        assertEquals(2, plan.chunks());
        assertEquals(2, plan.leftOut());
        Lanes first = new Lanes(SOURCE, plan, 0);
        Lanes second = new Lanes(SOURCE, plan, 1);
        assertBatch("abc ghi", "bcd hij", first.chunk(0, 2));
        assertBatch("def jkl", "efg klm", first.chunk(1, 2));
        assertBatch("mno stu", "nop tuv", second.chunk(0, 2));
        assertBatch("pqr vwx", "qrs wxy", second.chunk(1, 2));
    }

    @Test
    void lastChunkIsShorterIfStepsAreNotAMultiple() throws IOException {
        LanePlan plan = LanePlan.of(LETTERS.length(), 1, 2, 5);

        assertEquals(3, plan.chunks());
        assertBatch("klm xyz", "lmn yz.", new Lanes(SOURCE, plan, 0).chunk(2, 3));
    }

    @Test
    void readsChunksAcrossWindowBorders() throws IOException {
        TokenSource numbers = (from, target, offset, count) -> {
            for (int i = 0; i < count; i++) {
                target[offset + i] = (int) from + i;
            }
        };
        LanePlan plan = LanePlan.of(50_000, 2, 2, 100);
        Lanes lanes = new Lanes(numbers, plan, 1);
        for (int chunk = 3; chunk < plan.chunks(); chunk++) {
            Batch batch = lanes.chunk(chunk, plan.chunks());
            assertEquals(plan.laneStart(1, 1) + chunk * 100L, batch.inputs()[batch.steps()]);
            assertEquals(batch.inputs()[0] + batch.steps(), batch.targets()[batch.steps() - 1]);
        }
    }

    @Test
    void tooFewTokensAreRejectedWithTheLargestValuesThatFit() {
        String message = assertThrows(ConfigurationException.class, () -> LanePlan.of(1000, 4, 16, 64))
                .getMessage();

        assertTrue(message.contains("training.batch = 3; training.tbptt = 15"), message);
        LanePlan.of(1000, 4, 3, 64);
        LanePlan.of(1000, 4, 16, 15);
        assertThrows(ConfigurationException.class, () -> LanePlan.of(1000, 4, 4, 64));
        assertThrows(ConfigurationException.class, () -> LanePlan.of(1000, 4, 16, 16));
    }

    private static void assertBatch(String inputs, String targets, Batch batch) {
        assertArrayEquals(inputs.replace(" ", "").chars().toArray(), batch.inputs());
        assertArrayEquals(targets.replace(" ", "").chars().toArray(), batch.targets());
    }
}
