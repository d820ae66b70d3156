package io.unroll.spark.dl4j;

import io.unroll.config.ConfigurationException;
import io.unroll.model.Natives;
import io.unroll.spark.AveragedRound;
import io.unroll.spark.Session;
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
 * Trains the network of a {@link SparkDl4jMultiLayer} or {@link SparkComputationGraph} like Unroll's own networks: in
 * replicas that carry their recurrent state from DataSet to DataSet and are averaged, weighted by tokens. The result is
 * deterministic: the same weights, bit for bit, on any cluster whose processors have the same vector instructions. Code
 * that uses a {@code ParameterAveragingTrainingMaster} changes one line:
 *
 * <pre>{@code
 * TrainingMaster<?, ?> master = UnrollTrainingMaster.replicas(2).averagingEvery(32).seed(7).build();
 * new SparkDl4jMultiLayer(context, configuration, master).fit(dataSets);
 * }</pre>
 *
 * <p><b>DataSets.</b> Each DataSet is one chunk of truncated back-propagation through time. The order of the RDD,
 * partition by partition, is the order of the text. Each replica trains a contiguous part of the RDD, whose state
 * starts from zero in each call of {@code fit}; row j of a DataSet continues in row j of the next one. Shapes for
 * recurrent layers:
 *
 * <pre>
 *   features       [lanes, features, steps]       any numeric type
 *   labels         [lanes, classes, steps]        any numeric type
 *   feature mask   [lanes, steps]                 optional; 1 for steps that count, 0 for padding
 *   label mask     [lanes, steps] or [lanes, classes, steps], optional
 * </pre>
 *
 * All DataSets of a replica have the same number of lanes. Networks without recurrent layers have no state and accept
 * the shapes that Deeplearning4j accepts. There must be at least one DataSet per replica.
 *
 * <p>An example with 4 steps per chunk. The lanes of replica 0 are {@code abcdefgh...} and {@code ABCDEFGH...}, those
 * of replica 1 {@code mnopqrst...} and {@code MNOPQRST...}:
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
 * <p><b>Averaging.</b> Parameters and updater state are averaged, on the executors if the weights are large. The weight
 * of a replica is its number of tokens: label steps that are not masked.
 *
 * <p><b>Networks.</b> The data type must be FLOAT. Supported recurrent layers are LSTM, GravesLSTM with tanh and
 * sigmoid, SimpleRnn with tanh or relu and without layer normalization, and wrappers of these that are neither frozen
 * nor bidirectional. They run on oneDNN if it supports their activations, with one thread per replica. Back-propagation
 * takes the carried state as a constant. {@code backpropType} is ignored: the DataSets are the chunks.
 *
 * <p><b>Errors.</b> {@code fit} throws an {@link io.unroll.config.UnrollException} with a message of one sentence if a
 * DataSet cannot be read or does not fit the network (the message starts with its index in the RDD), if training
 * diverges, if masks cover all label steps of a round, or if the network is not supported. The network then has the
 * weights of the last complete round.
 *
 * <p><b>Memory.</b> JavaCPP, which allocates ND4J's arrays, limits a process to four times its Java heap. Start the
 * JVMs of driver and executors with {@code -Dorg.bytedeco.javacpp.maxPhysicalBytes=0}: if code uses ND4J before this
 * class is loaded, the limit can no longer be changed.
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

    /** @param averagingEvery chunks per replica and round; {@link #EPOCH} for one round per call of {@code fit} */
    record Settings(int replicas, long averagingEvery, long seed) {}

    /**
     * @param replicas number of replicas; independent of the number of executors and cores
     * @throws ConfigurationException if it is less than 1
     */
    public static Builder replicas(int replicas) {
        return new Builder(replicas);
    }

    /** Builds a training master. */
    public static final class Builder {
        private final int replicas;
        private long averagingEvery = EPOCH;
        private long seed;

        private Builder(int replicas) {
            this.replicas = atLeastOne("replicas", replicas);
        }

        /**
         * Sets how often replicas are averaged. By default, once per call of {@code fit}, at its end.
         *
         * @param chunks number of DataSets that each replica trains between two averages
         * @throws ConfigurationException if it is less than 1
         */
        public Builder averagingEvery(int chunks) {
            averagingEvery = atLeastOne("averagingEvery", chunks);
            return this;
        }

        /** @param seed for dropout, 0 by default; the initial weights depend on the seed of the network */
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
     * Trains the network, on the DataSets in the order of the RDD.
     *
     * @throws io.unroll.config.UnrollException if the network cannot be trained on the data
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
        train(graph, data, multiDataSet -> multiDataSet);
    }

    /** Trains on DataSets in files, in the order of their paths in the RDD. */
    @Override
    public void executeTrainingPaths(
            SparkDl4jMultiLayer network,
            SparkComputationGraph graph,
            JavaRDD<String> paths,
            DataSetLoader loader,
            MultiDataSetLoader multiLoader) {
        JavaSparkContext context = network == null ? graph.getSparkContext() : network.getSparkContext();
        Broadcast<SerializableConfiguration> hadoop = Session.of(context).hadoopBroadcast();
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
        train(network.getSparkContext(), UserNetwork.of(network.getNetwork()), network::setScore, data, read);
    }

    private <T> void train(SparkComputationGraph graph, JavaRDD<T> data, Function<T, MultiDataSet> read) {
        train(graph.getSparkContext(), UserNetwork.of(graph.getNetwork()), graph::setScore, data, read);
    }

    private <T> void train(
            JavaSparkContext context,
            UserNetwork network,
            DoubleConsumer lastScore,
            JavaRDD<T> data,
            Function<T, MultiDataSet> read) {
        listeners.forEach(listener -> listener.onEpochStart(network.model()));
        // The session is not closed: the next call of fit reuses the idle networks.
        new DistributedFit(Session.of(context), settings, network, AveragedRound.MAX_COLLECTED_BYTES)
                .run(data, read, (averaged, iteration, score) -> {
                    network.update(averaged, iteration, score);
                    lastScore.accept(score);
                    listeners.forEach(listener -> listener.iterationDone(network.model(), iteration, network.epoch()));
                });
        listeners.forEach(listener -> listener.onEpochEnd(network.model()));
    }

    /**
     * Sets the listeners, which run on the driver with the averaged network: {@code iterationDone} after each round,
     * {@code onEpochStart} and {@code onEpochEnd} for each call of {@code fit}. Other methods are not called.
     */
    @Override
    public void setListeners(Collection<TrainingListener> listeners) {
        this.listeners = listeners == null ? List.of() : List.copyOf(listeners);
    }

    /** @throws UnsupportedOperationException if there is a router: listeners run on the driver and need none */
    @Override
    public void setListeners(StatsStorageRouter router, Collection<TrainingListener> listeners) {
        if (router != null) {
            throw new UnsupportedOperationException("UnrollTrainingMaster runs listeners on the driver and does not"
                    + " support a StatsStorageRouter: pass each listener its storage, and set it without a router.");
        }
        setListeners(listeners);
    }

    /** @throws UnsupportedOperationException always: hooks could make the result non-deterministic */
    @Override
    public void addHook(TrainingHook hook) {
        throw new UnsupportedOperationException("UnrollTrainingMaster does not support training hooks.");
    }

    /** Does nothing, because hooks are not supported. */
    @Override
    public void removeHook(TrainingHook hook) {}

    /** @throws UnsupportedOperationException always: replicas are not trained by a {@link TrainingWorker} */
    @Override
    public TrainingWorker<TrainingResult> getWorkerInstance(SparkDl4jMultiLayer network) {
        throw noWorkers();
    }

    /** @throws UnsupportedOperationException always: replicas are not trained by a {@link TrainingWorker} */
    @Override
    public TrainingWorker<TrainingResult> getWorkerInstance(SparkComputationGraph graph) {
        throw noWorkers();
    }

    private static UnsupportedOperationException noWorkers() {
        return new UnsupportedOperationException("UnrollTrainingMaster does not train with TrainingWorkers.");
    }

    /** @throws UnsupportedOperationException if {@code collect} is true: Spark's web UI shows the times */
    @Override
    public void setCollectTrainingStats(boolean collect) {
        if (collect) {
            throw new UnsupportedOperationException("UnrollTrainingMaster does not collect statistics: Spark's web UI"
                    + " shows the times of rounds and replicas.");
        }
    }

    @Override
    public boolean getIsCollectTrainingStats() {
        return false;
    }

    /** @return null, because statistics are not collected */
    @Override
    public SparkTrainingStats getTrainingStats() {
        return null;
    }

    /** @return the settings; averagingEvery is 0 for one average per call of {@code fit} */
    @Override
    public String toJson() {
        return "{\"replicas\":" + settings.replicas + ",\"averagingEvery\":" + everyOrZero() + ",\"seed\":"
                + settings.seed + "}";
    }

    /** @return the settings, like {@link #toJson} */
    @Override
    public String toYaml() {
        return "replicas: " + settings.replicas + "\naveragingEvery: " + everyOrZero() + "\nseed: " + settings.seed
                + "\n";
    }

    private long everyOrZero() {
        return settings.averagingEvery == EPOCH ? 0 : settings.averagingEvery;
    }

    /** @return true; there are no temporary files */
    @Override
    public boolean deleteTempFiles(JavaSparkContext context) {
        return true;
    }

    /** @return true; there are no temporary files */
    @Override
    public boolean deleteTempFiles(SparkContext context) {
        return true;
    }
}
