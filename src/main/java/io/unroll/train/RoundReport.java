package io.unroll.train;

import java.util.Map;
import java.util.SortedMap;

/**
 * How a round went; a line of the run's metrics.
 *
 * @param rounds rounds of the whole run
 * @param epoch the round's, from 1
 * @param tokens trained on so far, over all replicas
 * @param trainingLoss nats per token, over the round
 * @param validationLoss nats per token; null where the round was not followed by validation
 * @param learningRate of the round's last step
 * @param gradientNorm before clipping, mean over steps and replicas
 * @param clippedShare of the steps
 * @param gradientFlow at an epoch's end, where lanes go on: the norm of the gradient of a loss with respect to the
 *     whole state so many steps before, for steps from 1 to a chunk's; empty otherwise
 * @param tokensPerSecond of training and averaging, over all replicas
 * @param secondsLeft of the whole run, if it goes on like this
 * @param seconds wall time of each phase: broadcast, train (from the first replica's start to the last
 *     one's end, by the workers' clocks), average (everything else of a round), validate, checkpoint (until metrics and
 *     checkpoint of the round before are written)
 * @param bytes of weights that travelled: broadcast (to each executor), shuffle (all replicas' to the averaging tasks;
 *     0 if they come to the driver) and collect (to the driver)
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
        SortedMap<Integer, Double> gradientFlow,
        double tokensPerSecond,
        double secondsLeft,
        Map<String, Double> seconds,
        Map<String, Long> bytes) {}
