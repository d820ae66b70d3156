package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where each replica's lanes and chunks lie in the training tokens: a pure function of its arguments.
 *
 * <p>Twenty-seven tokens, for 2 replicas of 2 lanes and chunks of 3 steps. A lane is a contiguous run of text; a
 * step reads one token and predicts the next, so lanes of 6 steps need 25 tokens, and two are left out:
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
 * The recurrent state runs along a lane, from chunk to chunk; lanes never mix. Where a lane's steps are no multiple
 * of {@code tbptt}, its last chunk is shorter.
 *
 * @param laneSteps steps of each lane in an epoch
 * @param leftOut tokens at the end that no epoch predicts: fewer than one for each lane
 */
public record LanePlan(int replicas, int batch, int tbptt, long laneSteps, long leftOut) implements Plan {
    /**
     * @param tokens the training tokens' number; they start at token 0
     * @throws ConfigurationException where a lane would be shorter than one chunk
     */
    public static LanePlan of(long tokens, int replicas, int batch, int tbptt) {
        long predictable = Math.max(0, tokens - 1);
        long lanes = (long) replicas * batch;
        long laneSteps = predictable / lanes;
        if (laneSteps < tbptt) {
            throw new ConfigurationException(tooFew(tokens, replicas, batch, tbptt));
        }
        return new LanePlan(replicas, batch, tbptt, laneSteps, predictable - lanes * laneSteps);
    }

    private static String tooFew(long tokens, long replicas, long batch, long tbptt) {
        long predictable = Math.max(0, tokens - 1);
        List<String> fits = new ArrayList<>();
        addFit(fits, "cluster.replicas", predictable / (batch * tbptt));
        addFit(fits, "training.batch", predictable / (replicas * tbptt));
        addFit(fits, "training.tbptt", predictable / (replicas * batch));
        return tokens + " training tokens are too few for " + replicas + " replicas x " + batch + " lanes x " + tbptt
                + " steps, which need " + (replicas * batch * tbptt + 1) + ". "
                + (fits.isEmpty()
                        ? "Lower several of cluster.replicas, training.batch and training.tbptt, or give more text."
                        : "The largest that fit, each alone: " + String.join("; ", fits) + ".");
    }

    private static void addFit(List<String> fits, String key, long largest) {
        if (largest > 0) {
            fits.add(key + " = " + largest);
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
                "%,d training tokens as %d replicas x %d lanes x %,d steps, in %,d chunks an epoch; %,d left out",
                laneSteps * replicas * batch + 1 + leftOut,
                replicas,
                batch,
                laneSteps,
                chunks(),
                leftOut);
    }

    /** @return steps of a chunk: {@code tbptt}, or fewer in the last one */
    public int steps(int chunk) {
        return (int) Math.min(tbptt, laneSteps - (long) chunk * tbptt);
    }

    /** @return the token that a lane of a replica reads first */
    public long laneStart(int replica, int lane) {
        return ((long) replica * batch + lane) * laneSteps;
    }
}
