package io.unroll.train;

import java.util.Map;
import java.util.SortedMap;

/**
 * Metrics of a round; one line of {@code metrics.jsonl}.
 *
 * @param round number of the round, from 1
 * @param rounds number of rounds of the entire run
 * @param epoch number of the epoch, from 1
 * @param tokens tokens trained on so far, over all replicas
 * @param trainingLoss loss of the round, nats per token
 * @param validationLoss nats per token; null if the round was not followed by validation
 * @param learningRate learning rate of the last step
 * @param gradientNorm norm of the gradient before clipping, mean over steps and replicas
 * @param clippedShare share of steps whose gradient was clipped
 * @param paddingShare share of the positions of the batches that are padding; 0 for a text corpus
 * @param gradientFlow norm of the gradient of the loss with respect to the entire hidden state k steps earlier, by k,
 *     for k from 1 to the length of a chunk; empty except at the end of an epoch of a text corpus
 * @param tokensPerSecond tokens per second of training and averaging, over all replicas
 * @param secondsLeft estimated seconds to the end of the run
 * @param seconds wall time of each phase: broadcast, train (from the start of the first replica to the end of the last
 *     one, by the clocks of the executors), average (the rest of the round), validate, checkpoint (wait until metrics
 *     and checkpoint of the previous round are written)
 * @param bytes bytes of weights sent: broadcast (to each executor), shuffle (from all replicas to the averaging tasks;
 *     0 if the driver averages) and collect (to the driver)
 */
public record RoundReport(
        int round,
        long rounds,
        int epoch,
        long tokens,
        double trainingLoss,
        Double validationLoss,
        double learningRate,
        double gradientNorm,
        double clippedShare,
        double paddingShare,
        SortedMap<Integer, Double> gradientFlow,
        double tokensPerSecond,
        double secondsLeft,
        Map<String, Double> seconds,
        Map<String, Long> bytes) {}
