package io.unroll.spark.dl4j;

import io.unroll.chunk.Seeds;
import io.unroll.config.UnrollException;
import io.unroll.model.Loss;
import io.unroll.model.Natives;
import io.unroll.model.StatefulGraph;
import io.unroll.spark.IdlePool;
import io.unroll.spark.JavaSerialized;
import io.unroll.spark.ReplicaTask;
import io.unroll.storage.AtomicFile;
import io.unroll.train.Replica;
import io.unroll.train.ReplicaResult;
import io.unroll.train.ReplicaState;
import io.unroll.train.Round;
import io.unroll.train.Weights;
import java.io.IOException;
import java.util.Iterator;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SerializableWritable;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import scala.Tuple2;

/**
 * Trains one replica of a user's network for a round, on its chunks in order.
 *
 * @param configuration Deeplearning4j's JSON of a {@code ComputationGraphConfiguration}
 * @param classes number of classes of each output; 0 if its layer does not define it
 */
record TrainChunks(Round round, String configuration, long[] classes, long seed)
        implements ReplicaTask<TrainChunks.Input> {
    static {
        Natives.liftLimits();
    }

    /** @param chunks the replica's chunks of the round, with their indices in the user's RDD */
    record Input(ReplicaTask.Input replica, Iterator<Tuple2<Long, SerializableWritable<?>>> chunks) {}

    @Override
    public Replica.ReplicaUpdate train(Input input, Broadcast<Weights> start) throws IOException {
        return IdlePool.use(
                configuration,
                () -> new StatefulGraph(ComputationGraphConfiguration.fromJson(configuration)),
                graph -> {
                    graph.setParameters(start.value().parameters());
                    graph.setOptimizerState(start.value().optimizer());
                    graph.setCounts(round.iteration(), round.epoch());
                    graph.setState(input.replica().state().value().recurrent());
                    Loss scores = train(graph, input.replica(), input.chunks());
                    ReplicaState state = ReplicaState.of(graph.state());
                    return new Replica.ReplicaUpdate(
                            new Weights(graph.parameters(), graph.optimizerState()),
                            ReplicaResult.of(input.replica().replica(), state, scores));
                });
    }

    @Override
    public boolean bfloat16() {
        return false;
    }

    /** @return the sum over the chunks of Deeplearning4j's score times the tokens */
    private Loss train(
            StatefulGraph graph, ReplicaTask.Input replica, Iterator<Tuple2<Long, SerializableWritable<?>>> chunks) {
        long lanes = graph.lanes(replica.state().value().recurrent());
        Loss scores = Loss.ZERO;
        for (int number = round.startChunk(); chunks.hasNext(); number++) {
            Tuple2<Long, SerializableWritable<?>> next = chunks.next();
            long index = next._1();
            Chunk chunk = (Chunk) JavaSerialized.value(next._2());
            check(index, chunk);
            checkLanes(graph, index, replica.replica(), chunk.lanes(), lanes);
            lanes = chunk.lanes();
            double score = train(graph, index, chunk, Seeds.of(seed, round.epoch(), replica.replica(), number));
            if (!Double.isFinite(score)) {
                throw new UnrollException("training diverged: the score is " + score + " in DataSet " + index
                        + ", replica " + replica.replica() + ": lower the learning rate, or clip gradients.");
            }
            long tokens = chunk.tokens(classes);
            scores = scores.plus(new Loss(score * tokens, tokens));
        }
        return scores;
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
                            + AtomicFile.reason(ExceptionUtils.getRootCause(e)) + ".",
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
