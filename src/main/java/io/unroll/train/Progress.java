package io.unroll.train;

import io.unroll.chunk.Plan;

/** Who follows a run. */
public interface Progress {
    /** @param found the token files were there already */
    void prepared(String folder, long tokens, int vocabulary, boolean found);

    void planned(Plan plan, long trainingTokens, long validationTokens);

    /**
     * What will be trained.
     *
     * @param replicaBytes memory of a replica outside the Java heap
     * @param float32Instead the processor has no instructions for the bfloat16 that was asked for
     */
    void network(int parameters, long replicaBytes, boolean float32Instead);

    void round(Report report);

    /**
     * How a round went.
     *
     * @param rounds rounds of the whole run
     * @param trainingLoss nats per token, over the round
     * @param validationLoss nats per token; NaN where the round was not followed by validation
     * @param tokensPerSecond of training, over all replicas
     */
    record Report(
            int round,
            long rounds,
            int epoch,
            double trainingLoss,
            double validationLoss,
            double tokensPerSecond,
            double secondsLeft) {}
}
