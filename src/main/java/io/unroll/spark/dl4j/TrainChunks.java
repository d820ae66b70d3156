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

/** The Spark task of a round: one replica trains its chunks in order. */
final class TrainChunks implements Function2<Integer, Iterator<Tuple2<Long, Chunk>>, Iterator<Trained>> {
    private static final long serialVersionUID = 1;

    static {
        Natives.liftLimits();
    }

    private final Runs runs;
    private final Broadcast<Start> start;
    private final ArrayList<Broadcast<CarriedState>> states;
    private final long[] classes;
    private final long seed;

    /**
     * @param states the replicas', each a broadcast of its own, so that a task fetches one
     * @param classes of each output; 0 where its layer does not say
     */
    TrainChunks(Runs runs, Broadcast<Start> start, List<Broadcast<CarriedState>> states, long[] classes, long seed) {
        this.runs = runs;
        this.start = start;
        this.states = new ArrayList<>(states);
        this.classes = classes;
        this.seed = seed;
    }

    @Override
    public Iterator<Trained> call(Integer partition, Iterator<Tuple2<Long, Chunk>> chunks) throws Exception {
        Start from = start.value();
        Trained trained;
        try {
            trained = IdleGraphs.use(from.configuration, graph -> train(graph, from, runs.replica(partition), chunks));
        } catch (UnrollException e) {
            trained = Trained.failed(e.getMessage());
        } catch (OutOfMemoryError e) {
            trained = Trained.failed(Natives.limitReached(e).orElseThrow(() -> e));
        }
        return List.of(trained).iterator();
    }

    private Trained train(StatefulGraph graph, Start from, int replica, Iterator<Tuple2<Long, Chunk>> chunks) {
        CarriedState state = states.get(replica).value();
        graph.setParameters(from.parameters);
        graph.setUpdaterState(from.updater);
        graph.setCounts(from.iteration, from.epoch);
        graph.setState(state.arrays());
        long lanes = state.lanes();
        long tokens = 0;
        double scores = 0;
        for (long number = from.chunk; chunks.hasNext(); number++) {
            Tuple2<Long, Chunk> next = chunks.next();
            Chunk chunk = next._2();
            check(next._1(), chunk);
            checkLanes(graph, next._1(), replica, chunk.lanes(), lanes);
            lanes = chunk.lanes();
            long counted = chunk.tokens(classes);
            double score = train(graph, next._1(), chunk, Seeds.of(seed, from.epoch, replica, Math.toIntExact(number)));
            if (!Double.isFinite(score)) {
                throw new UnrollException("training diverged: the score is " + score + " in DataSet " + next._1()
                        + ", replica " + replica + ": lower the learning rate, or clip gradients.");
            }
            tokens += counted;
            scores += score * counted;
        }
        CarriedState carried = new CarriedState(graph.state(), lanes);
        return new Trained(graph.parameters(), graph.updaterState(), carried, tokens, scores);
    }

    private void check(long place, Chunk chunk) {
        try {
            chunk.check(classes.length);
        } catch (UnrollException e) {
            throw new UnrollException("DataSet " + place + " " + e.getMessage() + ".", e);
        }
    }

    /** Deeplearning4j finds what does not fit a network while it trains, layer by layer. */
    private static double train(StatefulGraph graph, long place, Chunk chunk, long seed) {
        try {
            return graph.train(chunk.data(), seed);
        } catch (UnrollException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new UnrollException(
                    "DataSet " + place + ", with " + chunk.shapes() + ", does not fit the network: "
                            + String.valueOf(ExceptionUtils.getRootCause(e).getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse("")
                            + ".",
                    e);
        }
    }

    private static void checkLanes(StatefulGraph graph, long place, int replica, long lanes, long before) {
        if (graph.carriesState() && before != 0 && lanes != before) {
            throw new UnrollException("DataSet " + place + " has " + lanes + " lanes, and the one before it in replica "
                    + replica + " has " + before + ": the state goes from lane to lane, so make all DataSets of a"
                    + " replica equally many lanes.");
        }
    }
}
