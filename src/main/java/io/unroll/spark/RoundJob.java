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
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;

/** Rounds of a run: broadcast the weights, train every replica, average. */
final class RoundJob {
    private final Session session;
    private final Settings settings;
    private final PreparedCorpus corpus;
    private final NetworkShape shape;
    private final Plan plan;
    private final WeightBlocks blocks;
    private final AveragedRound averaging;
    private final long start = System.nanoTime();
    private long chunksBefore = -1;
    private final Set<Worker> workers = new LinkedHashSet<>();

    /** @param maxCollectedBytes of all replicas' weights that come to the driver; larger ones are shuffled */
    RoundJob(
            Session session,
            Settings settings,
            PreparedCorpus corpus,
            NetworkShape shape,
            Plan plan,
            long maxCollectedBytes) {
        this.session = session;
        this.settings = settings;
        this.corpus = corpus;
        this.shape = shape;
        this.plan = plan;
        boolean averaged = settings.cluster().averaging().updater() == Settings.Updater.AVERAGE;
        this.blocks = new WeightBlocks(shape.parameters(), averaged ? shape.optimizerSize() : 0);
        this.averaging = new AveragedRound(session, blocks, maxCollectedBytes);
    }

    Done run(RunState state) {
        Snapshot before = state.snapshot();
        chunksBefore = chunksBefore < 0 ? chunks(before) : chunksBefore;
        Round round = Round.following(state, plan, settings.cluster().averaging());
        Phases phases = new Phases();
        long begin = System.nanoTime();
        Broadcast<Weights> weights = phases.time("broadcast", () -> session.broadcast(before.weights()));
        LongAccumulator tokens = session.counter("tokens");
        TrainReplica task = new TrainReplica(
                round, weights, plan, settings, shape, corpus.source(), session.hadoopBroadcast(), tokens);
        AveragedRound.Result result = averaging.run("round " + (round.number() + 1) + " of " + rounds(), before, task);
        weights.destroy();
        result.replicas().stream().map(AveragedRound.Replica::worker).forEach(workers::add);
        Worker.checkAlike(workers);
        List<ReplicaResult> results =
                result.replicas().stream().map(AveragedRound.Replica::result).toList();
        Snapshot after =
                before.after(round, result.mean(), results, settings.cluster().averaging());
        double seconds = (System.nanoTime() - begin) / 1e9;
        double training = trainSeconds(result);
        phases.put("train", training);
        phases.put("average", Math.max(0, seconds - training - phases.seconds().get("broadcast")));
        return new Done(round, after, results, phases, seconds);
    }

    private static double trainSeconds(AveragedRound.Result result) {
        long first = result.replicas().stream()
                .mapToLong(AveragedRound.Replica::startMillis)
                .min()
                .orElseThrow();
        long last = result.replicas().stream()
                .mapToLong(AveragedRound.Replica::endMillis)
                .max()
                .orElseThrow();
        return (last - first) / 1e3;
    }

    /**
     * A round that is over.
     *
     * @param seconds wall time of training and averaging
     */
    record Done(Round round, Snapshot snapshot, List<ReplicaResult> results, Phases phases, double seconds) {
        Loss loss() {
            return results.stream().map(ReplicaResult::loss).reduce(Loss.NONE, Loss::plus);
        }

        double gradientNorm() {
            return results.stream()
                    .mapToDouble(ReplicaResult::gradientNorm)
                    .average()
                    .orElseThrow();
        }

        double clippedShare() {
            double steps = (double) results.size() * (round.endChunk() - round.startChunk());
            return results.stream().mapToInt(ReplicaResult::clippedSteps).sum() / steps;
        }
    }

    /** @param validation loss in nats per token, or null */
    RoundReport report(Done done, Double validation) {
        long kept = done.results().stream()
                .mapToLong(result -> (long) Float.BYTES * result.state().optimizer().length)
                .sum();
        return new RoundReport(
                done.snapshot().round(),
                rounds(),
                done.round().epoch() + 1,
                done.snapshot().tokens(),
                done.loss().mean(),
                validation,
                done.results().get(0).learningRate(),
                done.gradientNorm(),
                done.clippedShare(),
                done.results().get(0).gradientFlow(),
                done.loss().tokens() / done.seconds(),
                secondsLeft(chunks(done.snapshot())),
                done.phases().seconds(),
                bytes(done.results().size(), kept));
    }

    /** @param kept optimizer states that the replicas keep */
    private Map<String, Long> bytes(int replicas, long kept) {
        long weights = Float.BYTES * blocks.total();
        return averaging.collects(replicas)
                ? Map.of("broadcast", weights, "shuffle", 0L, "collect", weights * replicas + kept)
                : Map.of("broadcast", weights, "shuffle", weights * replicas + kept, "collect", weights + kept);
    }

    private double secondsLeft(long chunks) {
        double elapsed = (System.nanoTime() - start) / 1e9;
        long all = (long) plan.chunks() * settings.training().epochs();
        return elapsed * (all - chunks) / (chunks - chunksBefore);
    }

    /** @return chunks that each replica has done */
    private long chunks(Snapshot snapshot) {
        return (long) snapshot.epoch() * plan.chunks() + snapshot.chunk();
    }

    private long rounds() {
        int every = settings.cluster().averaging().everyChunks();
        long perEpoch = every == Settings.Averaging.EPOCH ? 1 : (plan.chunks() + every - 1) / every;
        return perEpoch * settings.training().epochs();
    }
}
