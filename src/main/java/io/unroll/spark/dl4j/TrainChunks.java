package io.unroll.spark.dl4j;

import io.unroll.chunk.Seeds;
import io.unroll.config.UnrollException;
import io.unroll.model.Natives;
import io.unroll.model.StatefulGraph;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/** Spark task that trains one replica for a round, on its chunks in order. */
final class TrainChunks implements Function2<Integer, Iterator<Tuple2<Long, Chunk>>, Iterator<ReplicaOutcome>> {
    private static final long serialVersionUID = 1;

    static {
        Natives.liftLimits();
    }

    private final ReplicaPartitioner partitioner;
    private final Broadcast<RoundStart> start;
    private final ArrayList<Broadcast<CarriedState>> states;
    private final long[] classes;
    private final long seed;

    /**
     * @param states of the replicas, in separate broadcasts, so that a task fetches only the one it needs
     * @param classes number of classes of each output; 0 if its layer does not define it
     */
    TrainChunks(
            ReplicaPartitioner partitioner,
            Broadcast<RoundStart> start,
            List<Broadcast<CarriedState>> states,
            long[] classes,
            long seed) {
        this.partitioner = partitioner;
        this.start = start;
        this.states = new ArrayList<>(states);
        this.classes = classes;
        this.seed = seed;
    }

    @Override
    public Iterator<ReplicaOutcome> call(Integer partition, Iterator<Tuple2<Long, Chunk>> chunks) throws Exception {
        RoundStart from = start.value();
        ReplicaOutcome trained;
        try {
            trained = IdleGraphs.use(
                    from.configuration, graph -> train(graph, from, partitioner.replica(partition), chunks));
        } catch (UnrollException e) {
            trained = ReplicaOutcome.failed(e.getMessage());
        } catch (OutOfMemoryError e) {
            trained = ReplicaOutcome.failed(Natives.limitReached(e).orElseThrow(() -> e));
        }
        return List.of(trained).iterator();
    }

    private ReplicaOutcome train(
            StatefulGraph graph, RoundStart from, int replica, Iterator<Tuple2<Long, Chunk>> chunks) {
        CarriedState state = states.get(replica).value();
        graph.setParameters(from.parameters);
        graph.setUpdaterState(from.updater);
        graph.setCounts(from.iteration, from.epoch);
        graph.setState(state.arrays());
        long lanes = state.lanes();
        long tokens = 0;
        double scores = 0;
        for (long chunkIndex = from.chunk; chunks.hasNext(); chunkIndex++) {
            Tuple2<Long, Chunk> next = chunks.next();
            Chunk chunk = next._2();
            check(next._1(), chunk);
            checkLanes(graph, next._1(), replica, chunk.lanes(), lanes);
            lanes = chunk.lanes();
            long chunkTokens = chunk.tokens(classes);
            double score =
                    train(graph, next._1(), chunk, Seeds.of(seed, from.epoch, replica, Math.toIntExact(chunkIndex)));
            if (!Double.isFinite(score)) {
                throw new UnrollException("training diverged: the score is " + score + " in DataSet " + next._1()
                        + ", replica " + replica + ": lower the learning rate, or clip gradients.");
            }
            tokens += chunkTokens;
            scores += score * chunkTokens;
        }
        CarriedState carried = new CarriedState(graph.state(), lanes);
        return new ReplicaOutcome(graph.parameters(), graph.updaterState(), carried, tokens, scores);
    }

    private void check(long index, Chunk chunk) {
        try {
            chunk.check(classes.length);
        } catch (UnrollException e) {
            throw new UnrollException("DataSet " + index + " " + e.getMessage() + ".", e);
        }
    }

    /** Trains on a chunk; only here does Deeplearning4j detect that shapes do not fit the network. */
    private static double train(StatefulGraph graph, long index, Chunk chunk, long seed) {
        try {
            return graph.train(chunk.data(), seed);
        } catch (UnrollException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "DataSet " + index + ", with " + chunk.shapes() + ", does not fit the network: "
                            + String.valueOf(ExceptionUtils.getRootCause(e).getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse("")
                            + ".",
                    e);
        }
    }

    private static void checkLanes(StatefulGraph graph, long index, int replica, long lanes, long before) {
        if (graph.carriesState() && before != 0 && lanes != before) {
            throw new UnrollException("DataSet " + index + " has " + lanes + " lanes, and the one before it in replica "
                    + replica + " has " + before + ": the state is carried from lane to lane, so all DataSets of a"
                    + " replica must have the same number of lanes.");
        }
    }
}
