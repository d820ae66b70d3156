package io.unroll.spark;

import io.unroll.chunk.Plan;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.NetworkShape;
import io.unroll.train.ReplicaResult;
import io.unroll.train.Round;
import io.unroll.train.RoundReport;
import io.unroll.train.RunState;
import io.unroll.train.Snapshot;
import io.unroll.train.Weights;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.apache.spark.broadcast.Broadcast;

/** Runs the rounds of a run, one Spark job each: broadcasts the weights, trains all replicas, averages them. */
final class RoundJob {
    private final Session session;
    private final Settings settings;
    private final NetworkShape shape;
    private final Plan plan;
    private final AveragedRound averagedRound;
    private final long startNanos = System.nanoTime();
    /** Chunks of each replica that earlier attempts have trained; -1 before the first round. */
    private long resumedChunks = -1;

    private final Set<ExecutorInfo> executors = new LinkedHashSet<>();

    /**
     * @param maxCollectedBytes maximum size of all replicas' weights that the driver averages; larger ones are shuffled
     */
    RoundJob(Session session, Settings settings, NetworkShape shape, Plan plan, long maxCollectedBytes) {
        this.session = session;
        this.settings = settings;
        this.shape = shape;
        this.plan = plan;
        boolean averaged = settings.cluster().averaging().updater() == Settings.Updater.AVERAGE;
        this.averagedRound =
                new AveragedRound(session, shape.parameters(), averaged ? shape.optimizerSize() : 0, maxCollectedBytes);
    }

    CompletedRound run(RunState state) {
        Snapshot before = state.snapshot();
        resumedChunks = resumedChunks < 0 ? chunks(before) : resumedChunks;
        Round round = Round.next(state, plan, settings.cluster().averaging());
        PhaseTimer timer = new PhaseTimer();
        long roundStart = System.nanoTime();
        Broadcast<Weights> weights = timer.time("broadcast", () -> session.broadcast(before.weights()));
        AveragedRound.Result result = averagedRound.run(
                "round " + (round.number() + 1) + " of " + rounds(),
                weights,
                before.states(),
                replicas -> replicas,
                new TrainReplica(round, plan, settings, shape, session.hadoopBroadcast()));
        result.replicas().stream().map(AveragedRound.ReplicaReport::executor).forEach(executors::add);
        ExecutorInfo.checkSamePrecision(executors);
        List<ReplicaResult> results = result.results();
        Snapshot after =
                before.after(round, result.mean(), results, settings.cluster().averaging());
        double seconds = (System.nanoTime() - roundStart) / 1e9;
        double trainSeconds = trainSeconds(result);
        timer.put("train", trainSeconds);
        timer.put(
                "average", Math.max(0, seconds - trainSeconds - timer.seconds().get("broadcast")));
        return new CompletedRound(round, after, result.loss(), results, timer, seconds);
    }

    /** @return seconds from the start of the first replica to the end of the last, by the executors' clocks */
    private static double trainSeconds(AveragedRound.Result result) {
        long startMillis = result.replicas().stream()
                .mapToLong(AveragedRound.ReplicaReport::startMillis)
                .min()
                .orElseThrow();
        long endMillis = result.replicas().stream()
                .mapToLong(AveragedRound.ReplicaReport::endMillis)
                .max()
                .orElseThrow();
        return (endMillis - startMillis) / 1e3;
    }

    /**
     * The result of a round.
     *
     * @param snapshot the state after the round
     * @param results of the replicas, in the order of the replicas
     * @param seconds wall time of broadcast, training and averaging
     */
    record CompletedRound(
            Round round, Snapshot snapshot, Loss loss, List<ReplicaResult> results, PhaseTimer timer, double seconds) {
        /** @return the mean over the replicas */
        double mean(ToDoubleFunction<ReplicaResult> metric) {
            return results.stream().mapToDouble(metric).average().orElseThrow();
        }
    }

    /** @param validation loss in nats per token; null if there was no validation */
    RoundReport report(CompletedRound completed, Double validation) {
        long keptBytes = completed.results().stream()
                .mapToLong(result -> (long) Float.BYTES * result.state().optimizer().length)
                .sum();
        return new RoundReport(
                completed.snapshot().round(),
                rounds(),
                completed.round().epoch() + 1,
                completed.snapshot().tokens(),
                completed.loss().mean(),
                validation,
                completed.results().get(0).learningRate(),
                completed.mean(ReplicaResult::gradientNorm),
                completed.mean(ReplicaResult::clippedShare),
                completed.mean(ReplicaResult::paddingShare),
                completed.results().get(0).gradientFlow(),
                completed.loss().tokens() / completed.seconds(),
                secondsLeft(chunks(completed.snapshot())),
                completed.timer().seconds(),
                bytes(completed.results().size(), keptBytes));
    }

    /** @param keptBytes size of the optimizer states that the replicas keep instead of averaging them */
    private Map<String, Long> bytes(int replicas, long keptBytes) {
        long weightBytes = averagedRound.weightBytes();
        long replicaBytes = weightBytes * replicas + keptBytes;
        return averagedRound.averagesOnDriver(replicas)
                ? Map.of("broadcast", weightBytes, "shuffle", 0L, "collect", replicaBytes)
                : Map.of("broadcast", weightBytes, "shuffle", replicaBytes, "collect", weightBytes + keptBytes);
    }

    private double secondsLeft(long chunks) {
        double elapsed = (System.nanoTime() - startNanos) / 1e9;
        long totalChunks = (long) plan.chunks() * settings.training().epochs();
        return elapsed * (totalChunks - chunks) / (chunks - resumedChunks);
    }

    /** @return chunks that each replica has trained since the beginning of the run */
    private long chunks(Snapshot snapshot) {
        return (long) snapshot.epoch() * plan.chunks() + snapshot.chunk();
    }

    private long rounds() {
        int every = settings.cluster().averaging().everyChunks();
        long perEpoch = every == Settings.Averaging.EPOCH ? 1 : (plan.chunks() + every - 1) / every;
        return perEpoch * settings.training().epochs();
    }
}
