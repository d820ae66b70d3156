package io.unroll.chunk;

import io.unroll.chunk.SequenceIndex.Part;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.io.IOException;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;

/**
 * Assigns training examples to replicas. In each epoch, every replica trains on a contiguous share of the examples; all
 * shares have the same size. In the next epoch, it trains on the share of the next replica. A share consists of runs of
 * as many examples as a batch has. Windows of 64 runs (fewer if examples are long), evenly spaced from a random run of the
 * share on, are read together: their examples are shuffled, then sorted by length (batches then need little padding), and split into
 * batches. Then the order of these batches is shuffled.
 *
 * <pre>
 *   training examples   a b c d e f g h i j k l m n o p q r s      2 replicas, batches of 3
 *
 *   replica 0           [a b c|d e f|g h i]                        3 runs; next epoch: the share of replica 1
 *   replica 1                             [j k l|m n o|p q r]      left out: s
 * </pre>
 *
 * @param store its first examples are the training examples
 * @param batch number of examples in a batch
 * @param steps maximum number of steps of a batch
 * @param window number of runs, and of batches, whose examples are read and sorted together
 * @param share number of examples for each replica
 * @param leftOut number of examples at the end that belong to no share
 * @param seed of the run
 */
public record BucketPlan(
        SequenceStore store,
        Collator collator,
        int replicas,
        int batch,
        int steps,
        int window,
        long share,
        long leftOut,
        long seed)
        implements Plan {
    private static final int MAX_WINDOW = 64;
    private static final long MAX_WINDOW_VALUES = 16L << 20;

    static BucketPlan of(SequenceStore store, Collator collator, Settings settings) {
        int replicas = settings.cluster().replicas();
        int batch = settings.training().batch();
        long examples = store.index().sequences(SequenceIndex.Section.TRAINING);
        long share = examples / replicas;
        if (share == 0) {
            throw new ConfigurationException("the training part has " + examples + " examples, but " + replicas
                    + " replicas need at least one each: lower cluster.replicas, corpus.validation or corpus.test,"
                    + " or add rows.");
        }
        int steps = Math.min(
                collator.steps(
                        store.index().longest(Part::sources), store.index().longest(Part::targets)),
                collator.maxSteps(settings.training().tbptt()));
        long runs = MAX_WINDOW_VALUES / batch / store.index().meanLength();
        int window = (int) Math.max(1, Math.min(MAX_WINDOW, runs));
        return new BucketPlan(
                store,
                collator,
                replicas,
                batch,
                steps,
                window,
                share,
                examples - share * replicas,
                settings.run().seed());
    }

    @Override
    public int chunks() {
        return Math.toIntExact((share + batch - 1) / batch);
    }

    @Override
    public Batches open(int replica, int epoch, Configuration hadoop) throws IOException {
        return new Buckets(store.open(hadoop), this, replica, epoch);
    }

    /** @return the index of the first example of the replica's share */
    long start(int replica, int epoch) {
        return (replica + (long) epoch) % replicas * share;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d training examples in batches of at most %,d steps, as %d replicas x %,d batches of up to %d examples; %,d left out",
                share * replicas + leftOut,
                steps,
                replicas,
                chunks(),
                batch,
                leftOut);
    }
}
