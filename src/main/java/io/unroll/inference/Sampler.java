package io.unroll.inference;

import io.unroll.config.ConfigurationException;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Samples tokens from the logits of a network; deterministic for a seed. */
public final class Sampler {
    private final double temperature;
    private final int topK;
    private final double topP;
    private final SplittableRandom random;

    /**
     * @param temperature divisor of the logits; 0 for greedy decoding
     * @param topK number of most probable tokens to sample from; 0 for all
     * @param topP sample from the smallest set of most probable tokens whose total probability reaches this value
     *     (nucleus sampling, Holtzman et al. 2020); 1 for all
     */
    public Sampler(double temperature, int topK, double topP, long seed) {
        ConfigurationException.check(
                temperature >= 0 && Double.isFinite(temperature), "--temperature", temperature, "0 or more");
        ConfigurationException.check(topK >= 0, "--top-k", topK, "0 (all) or more");
        ConfigurationException.check(topP > 0 && topP <= 1, "--top-p", topP, "above 0 and at most 1");
        this.temperature = temperature;
        this.topK = topK;
        this.topP = topP;
        this.random = new SplittableRandom(seed);
    }

    /**
     * Samples the next token.
     *
     * @param logits unnormalized log-probabilities, {@code [vocabulary]}
     */
    public int draw(float[] logits) {
        int[] tokens = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparing((Integer token) -> -logits[token]))
                .mapToInt(Integer::intValue)
                .toArray();
        if (temperature == 0) {
            return tokens[0];
        }
        int kept = topK == 0 ? tokens.length : Math.min(topK, tokens.length);
        double[] weights = new double[kept];
        double sum = 0;
        for (int i = 0; i < kept; i++) {
            weights[i] = Math.exp((logits[tokens[i]] - logits[tokens[0]]) / temperature);
            sum += weights[i];
        }
        double threshold = random.nextDouble() * nucleus(weights, sum);
        int rank = 0;
        while (rank < kept - 1 && threshold >= weights[rank]) {
            threshold -= weights[rank++];
        }
        return tokens[rank];
    }

    /** @return total weight of the fewest first tokens that reach {@code topP} */
    private double nucleus(double[] weights, double sum) {
        double nucleus = 0;
        for (int i = 0; i < weights.length && nucleus < topP * sum; i++) {
            nucleus += weights[i];
        }
        return nucleus;
    }
}
