package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;

/**
 * Assigns the training tokens to the lanes and chunks of each replica. The plan depends only on its arguments.
 *
 * <p>Example: 27 tokens, 2 replicas with 2 lanes each, chunks of 3 steps. A lane is a contiguous part of the text; a
 * step reads one token and predicts the next. Four lanes of 6 steps need 25 tokens, so 2 are left out:
 *
 * <pre>
 *   tokens        a b c d e f g h i j k l m n o p q r s t u v w x y z .
 *
 *                             chunk 0   chunk 1
 *   replica 0, lane 0   in    a b c     d e f
 *                       out   b c d     e f g
 *              lane 1   in    g h i     j k l
 *                       out   h i j     k l m
 *   replica 1, lane 0   in    m n o     p q r
 *                       out   n o p     q r s
 *              lane 1   in    s t u     v w x
 *                       out   t u v     w x y       left out: z .
 * </pre>
 *
 * The recurrent state is carried along a lane from chunk to chunk, never from one lane to another. If the steps of a
 * lane are not a multiple of {@code tbptt}, its last chunk is shorter.
 *
 * @param text the training tokens, from token 0
 * @param batch number of lanes of each replica
 * @param tbptt number of steps of a chunk
 * @param laneSteps number of steps of each lane in an epoch
 * @param leftOut number of tokens at the end that are never predicted; less than the number of lanes
 */
public record LanePlan(TokenSource.Opener text, int replicas, int batch, int tbptt, long laneSteps, long leftOut)
        implements Plan {
    /**
     * @param tokens number of training tokens
     * @throws ConfigurationException if a lane would be shorter than one chunk
     */
    public static LanePlan of(TokenSource.Opener text, long tokens, int replicas, int batch, int tbptt) {
        long predictable = Math.max(0, tokens - 1);
        long lanes = (long) replicas * batch;
        long laneSteps = predictable / lanes;
        if (laneSteps < tbptt) {
            throw new ConfigurationException(tooFewTokens(tokens, replicas, batch, tbptt));
        }
        return new LanePlan(text, replicas, batch, tbptt, laneSteps, predictable - lanes * laneSteps);
    }

    private static String tooFewTokens(long tokens, long replicas, long batch, long tbptt) {
        long predictable = Math.max(0, tokens - 1);
        List<String> largestValues = new ArrayList<>();
        addLargest(largestValues, "cluster.replicas", predictable / (batch * tbptt));
        addLargest(largestValues, "training.batch", predictable / (replicas * tbptt));
        addLargest(largestValues, "training.tbptt", predictable / (replicas * batch));
        return tokens + " training tokens are too few for " + replicas + " replicas x " + batch + " lanes x " + tbptt
                + " steps, which need " + (replicas * batch * tbptt + 1) + ". "
                + (largestValues.isEmpty()
                        ? "Lower several of cluster.replicas, training.batch and training.tbptt, or add text."
                        : "Change one of these keys; the largest values that fit: " + String.join("; ", largestValues)
                                + ".");
    }

    private static void addLargest(List<String> largestValues, String key, long largest) {
        if (largest > 0) {
            largestValues.add(key + " = " + largest);
        }
    }

    @Override
    public int chunks() {
        return Math.toIntExact((laneSteps + tbptt - 1) / tbptt);
    }

    @Override
    public int steps() {
        return tbptt;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d training tokens as %d replicas x %d lanes x %,d steps, in %,d chunks per epoch; %,d left out",
                laneSteps * replicas * batch + 1 + leftOut,
                replicas,
                batch,
                laneSteps,
                chunks(),
                leftOut);
    }

    @Override
    public Batches open(int replica, int epoch, Configuration hadoop) throws IOException {
        return new Lanes(text.open(hadoop), this, replica);
    }

    /** @return the number of steps of a chunk: {@code tbptt}, or fewer for the last chunk */
    public int steps(int chunk) {
        return (int) Math.min(tbptt, laneSteps - (long) chunk * tbptt);
    }

    /** @return the index of the first token that the lane reads */
    public long laneStart(int replica, int lane) {
        return ((long) replica * batch + lane) * laneSteps;
    }
}
