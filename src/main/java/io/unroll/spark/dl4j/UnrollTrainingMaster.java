package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
import io.unroll.model.Natives;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.function.DoubleConsumer;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.core.loader.DataSetLoader;
import org.deeplearning4j.core.loader.MultiDataSetLoader;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.spark.api.TrainingHook;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.api.TrainingResult;
import org.deeplearning4j.spark.api.TrainingWorker;
import org.deeplearning4j.spark.api.stats.SparkTrainingStats;
import org.deeplearning4j.spark.data.loader.RemoteFileSource;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Trains the network of a {@link SparkDl4jMultiLayer} or {@link SparkComputationGraph} as Unroll does: replicas with
 * carried state, averaged by tokens, the same bits on any cluster. In code that has a
 * {@code ParameterAveragingTrainingMaster}, one line changes:
 *
 * <pre>{@code
 * TrainingMaster<?, ?> master = UnrollTrainingMaster.replicas(2).averagingEvery(32).seed(7).build();
 * new SparkDl4jMultiLayer(context, configuration, master).fit(dataSets);
 * }</pre>
 *
 * Each DataSet is one chunk for truncated back-propagation through time, {@code [lanes, features, steps]}. The RDD's
 * order, partition after partition, is the order of the text. Each replica gets a contiguous run of DataSets, in
 * which row j of one goes on in row j of the next; the state starts from zero in each replica at each call of
 * {@code fit}. For the lanes {@code abcdefgh...} and {@code ABCDEFGH...} in one replica, {@code mnopqrst...} and
 * {@code MNOPQRST...} in another, of 4 steps a chunk:
 *
 * <pre>
 *              replica 0               replica 1
 *   DataSet    0     1     2     |     3     4     5
 *   row 0      abcd  efgh  ijkl  |     mnop  qrst  uvwx
 *   row 1      ABCD  EFGH  IJKL  |     MNOP  QRST  UVWX
 *   state     0 -->   -->   -->       0 -->   -->   -->
 *   averaged               *                       *        (averagingEvery(2): after DataSets 1 and 4, too)
 * </pre>
 *
 * A mean is weighted by tokens, the label steps that no mask covers, and covers the updaters' state. LSTM, GravesLSTM
 * and SimpleRnn run on oneDNN where it has their activations, with one thread a replica; gradients start from the
 * carried state. The backpropType of the configuration is not read: a chunk is what a DataSet is. Networks without
 * recurrent layers have no state, and are averaged the same way. The driver holds the weights of all replicas.
 *
 * <p>JavaCPP, which holds the arrays of ND4J, lets no process grow larger than four times its Java heap. Start the JVMs of
 * driver and executors with {@code -Dorg.bytedeco.javacpp.maxPhysicalBytes=0}: code that touches ND4J before this class is
 * loaded sets the limit for good.
 */
public final class UnrollTrainingMaster implements TrainingMaster<TrainingResult, TrainingWorker<TrainingResult>> {
    private static final long EPOCH = Long.MAX_VALUE;

    static {
        Natives.liftLimits();
    }

    private final Settings settings;
    private List<TrainingListener> listeners = List.of();

    private UnrollTrainingMaster(Settings settings) {
        this.settings = settings;
    }

    /** @param averagingEvery chunks of each replica; {@link #EPOCH} for all of a call of {@code fit} */
    record Settings(int replicas, long averagingEvery, long seed) {}

    /** @param replicas which train side by side, whatever the number of executors and cores */
    public static Builder replicas(int replicas) {
        return new Builder(replicas);
    }

    /** How replicas are averaged. */
    public static final class Builder {
        private final int replicas;
        private long averagingEvery = EPOCH;
        private long seed;

        private Builder(int replicas) {
            this.replicas = atLeastOne("replicas", replicas);
        }

        /** @param chunks of each replica between two means; without this, there is one mean a call of {@code fit} */
        public Builder averagingEvery(int chunks) {
            averagingEvery = atLeastOne("averagingEvery", chunks);
            return this;
        }

        /** @param seed of what is random in training: dropout; weights start as the network's own seed has them */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        public UnrollTrainingMaster build() {
            return new UnrollTrainingMaster(new Settings(replicas, averagingEvery, seed));
        }

        private static int atLeastOne(String name, int value) {
            if (value < 1) {
                throw new ConfigurationException(name + " is " + value + "; it must be 1 or more.");
            }
            return value;
        }
    }

    /**
     * @throws io.unroll.config.UnrollException where data or network cannot be trained on; its message says why in one
     *     sentence
     */
    @Override
    public void executeTraining(SparkDl4jMultiLayer network, JavaRDD<DataSet> data) {
        train(network, data, DataSet::toMultiDataSet);
    }

    @Override
    public void executeTraining(SparkComputationGraph graph, JavaRDD<DataSet> data) {
        train(graph, data, DataSet::toMultiDataSet);
    }

    @Override
    public void executeTrainingMDS(SparkComputationGraph graph, JavaRDD<MultiDataSet> data) {
        train(graph, data, each -> each);
    }

    /** The order of the paths in the RDD is the order of the DataSets. */
    @Override
    public void executeTrainingPaths(
            SparkDl4jMultiLayer network,
            SparkComputationGraph graph,
            JavaRDD<String> paths,
            DataSetLoader loader,
            MultiDataSetLoader multiLoader) {
        JavaSparkContext context = network == null ? graph.getSparkContext() : network.getSparkContext();
        Broadcast<SerializableConfiguration> hadoop =
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()));
        Function<String, MultiDataSet> read = path -> {
            RemoteFileSource source = new RemoteFileSource(
                    path, FileSystem.get(URI.create(path), hadoop.value().value()));
            return loader == null
                    ? multiLoader.load(source)
                    : loader.load(source).toMultiDataSet();
        };
        if (network == null) {
            train(graph, paths, read);
        } else {
            train(network, paths, read);
        }
        hadoop.destroy();
    }

    private <T> void train(SparkDl4jMultiLayer network, JavaRDD<T> data, Function<T, MultiDataSet> read) {
        train(network.getSparkContext(), Driven.of(network.getNetwork()), network::setScore, data, read);
    }

    private <T> void train(SparkComputationGraph graph, JavaRDD<T> data, Function<T, MultiDataSet> read) {
        train(graph.getSparkContext(), Driven.of(graph.getNetwork()), graph::setScore, data, read);
    }

    private <T> void train(
            JavaSparkContext context,
            Driven network,
            DoubleConsumer lastScore,
            JavaRDD<T> data,
            Function<T, MultiDataSet> read) {
        listeners.forEach(listener -> listener.onEpochStart(network.model()));
        new Epoch(context, settings, network).run(data, read, (weights, score) -> {
            network.publish(weights, score);
            lastScore.accept(score);
            listeners.forEach(listener -> listener.iterationDone(network.model(), weights.iteration, weights.epoch));
        });
        listeners.forEach(listener -> listener.onEpochEnd(network.model()));
    }

    /**
     * Listeners run on the driver, once after each mean, with the averaged network: their {@code onEpochStart},
     * {@code iterationDone} and {@code onEpochEnd}.
     */
    @Override
    public void setListeners(Collection<TrainingListener> listeners) {
        this.listeners = listeners == null ? List.of() : List.copyOf(listeners);
    }

    /** @throws UnsupportedOperationException for a router: there is nothing to route, listeners are on the driver */
    @Override
    public void setListeners(StatsStorageRouter router, Collection<TrainingListener> listeners) {
        if (router != null) {
            throw new UnsupportedOperationException("UnrollTrainingMaster runs listeners on the driver and routes no"
                    + " statistics: give each listener its storage, and set it without a router.");
        }
        setListeners(listeners);
    }

    /** Replicas have no hooks, which could change what the seed decides. */
    @Override
    public void addHook(TrainingHook hook) {
        throw new UnsupportedOperationException("UnrollTrainingMaster has no hooks around its replicas' steps.");
    }

    /** Does nothing: there are no hooks. */
    @Override
    public void removeHook(TrainingHook hook) {}

    @Override
    public TrainingWorker<TrainingResult> getWorkerInstance(SparkDl4jMultiLayer network) {
        throw noWorkers();
    }

    @Override
    public TrainingWorker<TrainingResult> getWorkerInstance(SparkComputationGraph graph) {
        throw noWorkers();
    }

    private static UnsupportedOperationException noWorkers() {
        return new UnsupportedOperationException(
                "UnrollTrainingMaster trains replicas of its own, which are no TrainingWorkers.");
    }

    /** @throws UnsupportedOperationException for true: Spark's own web page shows the times */
    @Override
    public void setCollectTrainingStats(boolean collect) {
        if (collect) {
            throw new UnsupportedOperationException("UnrollTrainingMaster collects no statistics: Spark's web page"
                    + " shows the times of rounds and replicas.");
        }
    }

    @Override
    public boolean getIsCollectTrainingStats() {
        return false;
    }

    /** @return null, as other masters do that collect none */
    @Override
    public SparkTrainingStats getTrainingStats() {
        return null;
    }

    /** @return the settings; averagingEvery is 0 for one mean a call of {@code fit} */
    @Override
    public String toJson() {
        return "{\"replicas\":" + settings.replicas + ",\"averagingEvery\":" + everyOrZero() + ",\"seed\":"
                + settings.seed + "}";
    }

    /** @return what {@link #toJson} does */
    @Override
    public String toYaml() {
        return "replicas: " + settings.replicas + "\naveragingEvery: " + everyOrZero() + "\nseed: " + settings.seed
                + "\n";
    }

    private long everyOrZero() {
        return settings.averagingEvery == EPOCH ? 0 : settings.averagingEvery;
    }

    /** @return true: there are none */
    @Override
    public boolean deleteTempFiles(JavaSparkContext context) {
        return true;
    }

    /** @return true: there are none */
    @Override
    public boolean deleteTempFiles(SparkContext context) {
        return true;
    }
}
