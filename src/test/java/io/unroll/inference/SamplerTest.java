package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.config.ConfigurationException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplerTest {
    private static final double[] PROBABILITIES = {0.1, 0.5, 0.15, 0.25};
    private static final int DRAWS = 100_000;

    @ParameterizedTest
    @CsvSource({
        "1,   0, 1,    0.1   0.5   0.15   0.25",
        "0,   0, 1,    0     1     0      0",
        "0.5, 0, 1,    0.0290 0.7246 0.0652 0.1812",
        "1,   2, 1,    0     0.6667 0     0.3333",
        "1,   0, 0.75, 0     0.6667 0     0.3333",
        "1,   0, 0.8,  0     0.5556 0.1667 0.2778",
        "1,   9, 0.01, 0     1     0      0",
    })
    void drawsWithTheExpectedProbabilities(double temperature, int topK, double topP, String expected) {
        float[] logits = new float[PROBABILITIES.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(PROBABILITIES[i]) + 3;
        }
        Sampler sampler = new Sampler(temperature, topK, topP, 7);

        double[] share = new double[logits.length];
        IntStream.range(0, DRAWS).forEach(i -> share[sampler.draw(logits)] += 1.0 / DRAWS);

        String[] shares = expected.strip().split(" +");
        for (int i = 0; i < share.length; i++) {
            assertEquals(Double.parseDouble(shares[i]), share[i], 0.006);
        }
    }

    @Test
    void theSameSeedDrawsTheSameTokens() {
        Sampler sampler = new Sampler(1, 0, 1, 3);
        Sampler sameSeed = new Sampler(1, 0, 1, 3);
        Sampler otherSeed = new Sampler(1, 0, 1, 4);

        List<Integer> drawn = draws(sampler);
        assertEquals(drawn, draws(sameSeed));
        assertNotEquals(drawn, draws(otherSeed));
    }

    private static List<Integer> draws(Sampler sampler) {
        return IntStream.range(0, 100)
                .mapToObj(i -> sampler.draw(new float[50]))
                .toList();
    }

    @Test
    void rejectsOptionsOutOfRange() {
        assertThrows(ConfigurationException.class, () -> new Sampler(-1, 0, 1, 1));
        assertThrows(ConfigurationException.class, () -> new Sampler(1, -1, 1, 1));
        assertThrows(ConfigurationException.class, () -> new Sampler(1, 0, 0, 1));
    }
}
