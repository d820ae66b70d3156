package io.unroll.inference;

import io.unroll.config.ConfigurationException;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Draws tokens from a network's output; the same seed draws the same tokens. */
public final class Sampler {
    private final double temperature;
    private final int topK;
    private final double topP;
    private final SplittableRandom random;

    /**
     * @param temperature divides the log-probabilities; 0 always takes the most probable token
     * @param topK draw from that many of the most probable tokens only; 0 for all
     * @param topP draw from the fewest most probable tokens that together have this probability (nucleus sampling,
     *     Holtzman et al. 2020); 1 for all
     */
    public Sampler(double temperature, int topK, double topP, long seed) {
        check(temperature >= 0 && Double.isFinite(temperature), "--temperature", temperature, "0 or more");
        check(topK >= 0, "--top-k", topK, "0 (all) or more");
        check(topP > 0 && topP <= 1, "--top-p", topP, "above 0 and at most 1");
        this.temperature = temperature;
        this.topK = topK;
        this.topP = topP;
        this.random = new SplittableRandom(seed);
    }

    private static void check(boolean holds, String option, Object value, String must) {
        if (!holds) {
            throw new ConfigurationException(option + " is " + value + "; it must be " + must + ".");
        }
    }

    /** @param logits unnormalised log-probabilities, one a token */
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
        double nucleus = nucleus(weights, sum);
        double at = random.nextDouble() * nucleus;
        int drawn = 0;
        while (drawn < kept - 1 && at >= weights[drawn]) {
            at -= weights[drawn++];
        }
        return tokens[drawn];
    }

    /** @return the weight of the first tokens that together reach top-p */
    private double nucleus(double[] weights, double sum) {
        double nucleus = 0;
        for (int i = 0; i < weights.length && nucleus < topP * sum; i++) {
            nucleus += weights[i];
        }
        return nucleus;
    }
}
