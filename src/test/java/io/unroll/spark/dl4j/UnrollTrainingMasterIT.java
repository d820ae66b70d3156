package io.unroll.spark.dl4j;

import static io.unroll.spark.dl4j.TestNetworks.CLASSES;
import static io.unroll.spark.dl4j.TestNetworks.FEATURES;
import static io.unroll.spark.dl4j.TestNetworks.LANES;
import static io.unroll.spark.dl4j.TestNetworks.STEPS;
import static io.unroll.spark.dl4j.TestNetworks.data;
import static io.unroll.spark.dl4j.TestNetworks.distance;
import static io.unroll.spark.dl4j.TestNetworks.floats;
import static io.unroll.spark.dl4j.TestNetworks.initial;
import static io.unroll.spark.dl4j.TestNetworks.lstm;
import static io.unroll.spark.dl4j.TestNetworks.network;
import static io.unroll.spark.dl4j.TestNetworks.output;
import static io.unroll.spark.dl4j.TestNetworks.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.spark.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Compares training on local Spark with stock layers that are called by hand. */
class UnrollTrainingMasterIT {
    private static final long ALWAYS_SHUFFLE = 0;

    private LocalSpark spark;

    @AfterEach
    void stop() {
        if (spark != null) {
            spark.close();
        }
    }

    @Test
    void trainsTheSameBitsForAnyCoresPartitionsSerializerAndAveraging() {
        MultiLayerConfiguration network = network(0.8, lstm(FEATURES, 7, Activation.TANH), rnn(7, 6));
        List<DataSet> data = data(11, LANES);
        spark = new LocalSpark(1);
        float[] expected = spark.trained(
                network,
                data,
                1,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());
        float[] otherSeed = spark.trained(
                network,
                data,
                1,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(6).build());
        stop();
        spark = new LocalSpark(2);
        float[] twoCores = spark.trained(
                network,
                data,
                4,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());
        stop();
        spark = new LocalSpark(
                2,
                "spark.serializer",
                "org.apache.spark.serializer.KryoSerializer",
                "spark.kryo.registrator",
                "org.nd4j.kryo.Nd4jRegistrator");
        float[] kryo = spark.trained(
                network,
                data,
                2,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());
        MultiLayerNetwork shuffled = initial(network);
        UserNetwork user = UserNetwork.of(shuffled);
        new DistributedFit(
                        Session.of(spark.context()), new UnrollTrainingMaster.Settings(3, 2, 5), user, ALWAYS_SHUFFLE)
                .run(spark.rdd(data, 2), DataSet::toMultiDataSet, user::update);

        assertArrayEquals(expected, twoCores);
        assertArrayEquals(expected, kryo);
        assertArrayEquals(expected, floats(shuffled.params()));
        assertFalse(Arrays.equals(expected, otherSeed));
    }

    /** oneDNN supports TANH, not SOFTSIGN. */
    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"TANH", "SOFTSIGN"})
    void oneReplicaTrainsLikeALoopOverTheChunks(Activation activation) {
        spark = new LocalSpark(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, activation), lstm(7, 6, activation));
        List<DataSet> data = data(8, LANES);
        MultiLayerNetwork initial = initial(network);
        StockTraining expected = new StockTraining(initial);
        data.forEach(expected::step);
        StockTraining stateless = new StockTraining(initial);
        for (DataSet chunk : data) {
            stateless.net().rnnClearPreviousState();
            stateless.step(chunk);
        }

        float[] actual = spark.trained(
                network,
                data,
                3,
                UnrollTrainingMaster.replicas(1).averagingEvery(3).build());

        double distance = distance(expected.net().params(), actual);
        assertTrue(distance < 1e-5, "distance " + distance);
        assertTrue(distance(stateless.net().params(), actual) > 100 * Math.max(distance, 1e-7));
    }

    @Test
    void weightsAveragesByUnmaskedSteps() {
        spark = new LocalSpark(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, Activation.TANH));
        List<DataSet> data = data(8, LANES);
        long[] steps = maskAtRandom(data);
        MultiLayerNetwork initial = initial(network);
        List<StockTraining> replicas = List.of(new StockTraining(initial), new StockTraining(initial));
        for (int round = 0; round < 2; round++) {
            long[] weights = new long[2];
            for (int replica = 0; replica < 2; replica++) {
                for (int chunk = 2 * round; chunk < 2 * round + 2; chunk++) {
                    replicas.get(replica).step(data.get(4 * replica + chunk));
                    weights[replica] += steps[4 * replica + chunk];
                }
            }
            average(replicas, weights);
        }

        SparkDl4jMultiLayer wrapped = new SparkDl4jMultiLayer(
                spark.context(),
                initial(network),
                UnrollTrainingMaster.replicas(2).averagingEvery(2).build());
        wrapped.fit(spark.rdd(data, 3));

        MultiLayerNetwork expected = replicas.get(0).net();
        assertTrue(distance(expected.params(), floats(wrapped.getNetwork().params())) < 1e-5);
        assertTrue(distance(expected.updaterState(), floats(wrapped.getNetwork().updaterState())) < 1e-5);
        assertEquals(4, wrapped.getNetwork().getIterationCount());
        assertEquals(1, wrapped.getNetwork().getEpochCount());
    }

    private static long[] maskAtRandom(List<DataSet> data) {
        SplittableRandom random = new SplittableRandom(17);
        long[] steps = new long[data.size()];
        for (int i = 0; i < steps.length; i++) {
            INDArray mask = Nd4j.zeros(DataType.FLOAT, LANES, STEPS);
            for (int lane = 0; lane < LANES; lane++) {
                int unmasked = random.nextInt(i < 4 ? 1 : 4, i < 4 ? 3 : STEPS + 1);
                for (int step = 0; step < unmasked; step++) {
                    mask.putScalar(lane, step, 1);
                }
                steps[i] += unmasked;
            }
            data.get(i).setLabelsMaskArray(mask);
        }
        return steps;
    }

    private static void average(List<StockTraining> replicas, long[] weights) {
        INDArray a = replicas.get(0).net().params();
        INDArray b = replicas.get(1).net().params();
        mean(a, b, weights);
        mean(replicas.get(0).net().updaterState(), replicas.get(1).net().updaterState(), weights);
    }

    private static void mean(INDArray a, INDArray b, long[] weights) {
        double sum = weights[0] + weights[1];
        INDArray mean = a.mul(weights[0] / sum).addi(b.mul(weights[1] / sum));
        a.assign(mean);
        b.assign(mean);
    }

    @ParameterizedTest
    @CsvSource({"1, 2147483647", "2, 2147483647", "2, 2"})
    void trainsAComputationGraphLikeAMultiLayerNetwork(int replicas, int every) {
        spark = new LocalSpark(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, Activation.TANH), rnn(7, 6));
        List<DataSet> data = data(7, LANES);
        UnrollTrainingMaster master =
                UnrollTrainingMaster.replicas(replicas).averagingEvery(every).build();
        float[] expected = spark.trained(network, data, 2, master);

        ComputationGraph graph = initial(network).toComputationGraph();
        SparkComputationGraph wrapped = new SparkComputationGraph(spark.context(), graph, master);
        wrapped.fit(spark.rdd(data, 2));
        ComputationGraph multiDataSetGraph = initial(network).toComputationGraph();
        new SparkComputationGraph(spark.context(), multiDataSetGraph, master)
                .fitMultiDataSet(spark.rdd(data, 3).map(DataSet::toMultiDataSet));

        assertArrayEquals(expected, floats(graph.params()));
        assertArrayEquals(expected, floats(multiDataSetGraph.params()));
        assertEquals(graph.score(), wrapped.getScore());
    }

    static Stream<MultiLayerConfiguration> mixedLayers() {
        var between = new NeuralNetConfiguration.Builder()
                .seed(3)
                .l2(0.01)
                .updater(new Adam(0.01))
                .gradientNormalization(GradientNormalization.ClipL2PerLayer)
                .gradientNormalizationThreshold(0.01)
                .list(
                        lstm(FEATURES, 7, Activation.TANH),
                        new DenseLayer.Builder()
                                .nOut(5)
                                .activation(Activation.RELU)
                                .build(),
                        rnn(5, 6),
                        output(6))
                .setInputType(InputType.recurrent(FEATURES, STEPS, RNNFormat.NCW))
                .build();
        var unscaled = new NeuralNetConfiguration.Builder()
                .seed(3)
                .miniBatch(false)
                .updater(new Nesterovs(0.01))
                .list(lstm(FEATURES, 7, Activation.TANH), output(7))
                .build();
        return Stream.of(between, unscaled);
    }

    @ParameterizedTest
    @MethodSource("mixedLayers")
    void oneChunkEqualsOnePlainFit(MultiLayerConfiguration network) {
        spark = new LocalSpark(1);
        List<DataSet> data = data(1, LANES);
        MultiLayerNetwork expected = initial(network);
        expected.fit(data.get(0));

        float[] actual =
                spark.trained(network, data, 1, UnrollTrainingMaster.replicas(1).build());

        assertTrue(distance(expected.params(), actual) < 1e-5);
        assertTrue(distance(initial(network).params(), actual) > 1e-3);
    }

    @Test
    void trainsLayersWithoutStateLikeAPlainFit() {
        spark = new LocalSpark(1);
        MultiLayerConfiguration network = new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Nesterovs(0.1))
                .list(
                        new DenseLayer.Builder()
                                .nIn(FEATURES)
                                .nOut(9)
                                .activation(Activation.RELU)
                                .build(),
                        new OutputLayer.Builder(new LossMCXENT())
                                .nIn(9)
                                .nOut(CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build())
                .build();
        List<DataSet> data = new ArrayList<>();
        for (DataSet sequence : data(6, 2)) {
            data.add(new DataSet(
                    sequence.getFeatures().mean(2),
                    sequence.getLabels().tensorAlongDimension(0, 0, 1).dup()));
        }
        MultiLayerNetwork expected = initial(network);
        data.forEach(expected::fit);

        float[] actual =
                spark.trained(network, data, 2, UnrollTrainingMaster.replicas(1).build());

        assertTrue(distance(expected.params(), actual) < 1e-6);
    }
}
