package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluationLanesTest {
    @ParameterizedTest
    @CsvSource({"0,0", "1,0", "2,0", "2,2", "500,0", "3000,1", "5000,65", "70000,7", "100001,0"})
    void predictsEveryTokenAfterTheContextOnceFromItsPredecessor(int tokens, int context) {
        int[] numbers = IntStream.range(0, tokens).toArray();
        int[] predicted = new int[tokens];

        List<Batch> batches = new EvaluationLanes(numbers, context).batches(48);

        for (Batch batch : batches) {
            for (int i = 0; i < batch.targets().length; i++) {
                int target = batch.targets()[i];
                if (target != Batch.IGNORED) {
                    predicted[target]++;
                    assertEquals(target - 1, batch.inputs()[i]);
                }
            }
        }
        int unpredicted = Math.min(tokens, Math.max(1, context));
        assertEquals(
                tokens - unpredicted,
                Arrays.stream(predicted).skip(unpredicted).filter(n -> n == 1).count());
        assertEquals(0, Arrays.stream(predicted).limit(unpredicted).sum());
    }

    @ParameterizedTest
    @CsvSource({"5000", "70000"})
    void laterLanesWarmUpOnThePrecedingTokens(int tokens) {
        Batch first = new EvaluationLanes(IntStream.range(0, tokens).toArray(), 0)
                .batches(256)
                .get(0);
        int[] lane = Arrays.copyOfRange(first.targets(), first.steps(), 2 * first.steps());

        assertEquals(
                EvaluationLanes.WARM_UP,
                IntStream.of(lane).takeWhile(t -> t == Batch.IGNORED).count());
    }
}
