package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import java.util.Locale;

/**
 * How examples are shared out: each replica takes the same number in an epoch, one share after the other, and another
 * replica's share in the next epoch. Within a share, windows of {@link #WINDOW} batches are shuffled, sorted by length
 * so that little of a batch is padding, and cut; the batches of a window come in random order.
 *
 * <pre>
 *   training examples   a b c d e f g h i j k l m n o p q r s      2 replicas, batches of 3
 *
 *   replica 0           [a b c d e f g h i]                        3 batches; in the next epoch those of replica 1
 *   replica 1                             [j k l m n o p q r]      left out: s
 * </pre>
 *
 * @param steps of the longest example
 * @param share examples of a replica
 */
public record ExamplePlan(int replicas, int batch, int steps, long share, long leftOut) implements Plan {
    /** Batches that are sorted together. */
    static final int WINDOW = 64;

    static ExamplePlan of(long examples, int replicas, int batch, int steps) {
        long share = examples / replicas;
        if (share == 0) {
            throw new ConfigurationException("the training part has " + examples + " examples, and " + replicas
                    + " replicas need one each: lower cluster.replicas, corpus.validation or corpus.test, or give"
                    + " more rows.");
        }
        return new ExamplePlan(replicas, batch, steps, share, examples - share * replicas);
    }

    @Override
    public int chunks() {
        return Math.toIntExact((share + batch - 1) / batch);
    }

    /** @return the first example of a replica's share */
    long start(int replica, int epoch) {
        return (replica + (long) epoch) % replicas * share;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d training examples of at most %,d steps as %d replicas x %,d batches x %d; %,d left out",
                share * replicas + leftOut,
                steps,
                replicas,
                chunks(),
                batch,
                leftOut);
    }
}
