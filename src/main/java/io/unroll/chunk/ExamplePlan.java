package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import java.util.Locale;

/**
 * Assigns training examples to replicas. In each epoch, every replica trains on a contiguous share of the examples; all
 * shares have the same size. In the next epoch, it trains on the share of the next replica. A share is divided into
 * windows of {@link #WINDOW} batches. The examples of a window are shuffled, then sorted by length (batches then need
 * little padding), and split into batches. Then the order of these batches is shuffled.
 *
 * <pre>
 *   training examples   a b c d e f g h i j k l m n o p q r s      2 replicas, batches of 3
 *
 *   replica 0           [a b c d e f g h i]                        3 batches; next epoch: the share of replica 1
 *   replica 1                             [j k l m n o p q r]      left out: s
 * </pre>
 *
 * @param batch number of examples in a batch
 * @param steps number of steps of the longest example
 * @param share number of examples for each replica
 * @param leftOut number of examples at the end that belong to no share
 */
public record ExamplePlan(int replicas, int batch, int steps, long share, long leftOut) implements Plan {
    /** Number of batches in a window: their examples are sorted together. */
    static final int WINDOW = 64;

    static ExamplePlan of(long examples, int replicas, int batch, int steps) {
        long share = examples / replicas;
        if (share == 0) {
            throw new ConfigurationException("the training part has " + examples + " examples, but " + replicas
                    + " replicas need at least one each: lower cluster.replicas, corpus.validation or corpus.test,"
                    + " or add rows.");
        }
        return new ExamplePlan(replicas, batch, steps, share, examples - share * replicas);
    }

    @Override
    public int chunks() {
        return Math.toIntExact((share + batch - 1) / batch);
    }

    /** @return the index of the first example of the replica's share */
    long start(int replica, int epoch) {
        return (replica + (long) epoch) % replicas * share;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d training examples of at most %,d steps as %d replicas x %,d batches x %d examples; %,d left out",
                share * replicas + leftOut,
                steps,
                replicas,
                chunks(),
                batch,
                leftOut);
    }
}
