package io.unroll.spark.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** On a real Spark, against stock layers called by hand. */
class UnrollTrainingMasterIT {
    private static final int LANES = 3;
    private static final int FEATURES = 4;
    private static final int STEPS = 6;
    private static final int CLASSES = 5;

    private JavaSparkContext context;

    private void start(int cores, String... settings) {
        SparkConf conf = new SparkConf(false)
                .setMaster("local[" + cores + "]")
                .setAppName("test")
                .set("spark.ui.enabled", "false");
        for (int i = 0; i < settings.length; i += 2) {
            conf.set(settings[i], settings[i + 1]);
        }
        context = new JavaSparkContext(conf);
    }

    @AfterEach
    void stop() {
        if (context != null) {
            context.close();
        }
    }

    @Test
    void theSameBitsWhateverTheCoresPartitionsAndSerializer() {
        MultiLayerConfiguration network = network(0.8, lstm(FEATURES, 7, Activation.TANH), rnn(7, 6));
        List<DataSet> data = data(11, LANES);
        start(1);
        float[] expected = trained(
                network,
                data,
                1,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());
        float[] otherSeed = trained(
                network,
                data,
                1,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(6).build());
        stop();
        start(2);
        float[] twoCores = trained(
                network,
                data,
                4,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());
        stop();
        start(
                2,
                "spark.serializer",
                "org.apache.spark.serializer.KryoSerializer",
                "spark.kryo.registrator",
                "org.nd4j.kryo.Nd4jRegistrator");
        float[] kryo = trained(
                network,
                data,
                2,
                UnrollTrainingMaster.replicas(3).averagingEvery(2).seed(5).build());

        assertArrayEquals(expected, twoCores);
        assertArrayEquals(expected, kryo);
        assertFalse(Arrays.equals(expected, otherSeed));
    }

    /** SOFTSIGN is not one of oneDNN's. */
    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"TANH", "SOFTSIGN"})
    void oneReplicaLearnsWhatALoopOverTheChunksDoes(Activation activation) {
        start(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, activation), lstm(7, 6, activation));
        List<DataSet> data = data(8, LANES);
        MultiLayerNetwork initial = initial(network);
        StockTraining expected = new StockTraining(initial);
        data.forEach(expected::step);
        StockTraining forgetful = new StockTraining(initial);
        for (DataSet chunk : data) {
            forgetful.net().rnnClearPreviousState();
            forgetful.step(chunk);
        }

        float[] actual = trained(
                network,
                data,
                3,
                UnrollTrainingMaster.replicas(1).averagingEvery(3).build());

        double distance = distance(expected.net().params(), actual);
        assertTrue(distance < 1e-5, "distance " + distance);
        assertTrue(distance(forgetful.net().params(), actual) > 100 * Math.max(distance, 1e-7));
    }

    @Test
    void meansAreWeightedByTheStepsThatNoMaskCovers() {
        start(2);
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

        SparkDl4jMultiLayer spark = new SparkDl4jMultiLayer(
                context,
                initial(network),
                UnrollTrainingMaster.replicas(2).averagingEvery(2).build());
        spark.fit(rdd(data, 3));

        MultiLayerNetwork expected = replicas.get(0).net();
        assertTrue(distance(expected.params(), floats(spark.getNetwork().params())) < 1e-5);
        assertTrue(distance(expected.updaterState(), floats(spark.getNetwork().updaterState())) < 1e-5);
        assertEquals(4, spark.getNetwork().getIterationCount());
        assertEquals(1, spark.getNetwork().getEpochCount());
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
    void aComputationGraphLearnsWhatTheSameLayersDoInAChain(int replicas, int every) {
        start(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, Activation.TANH), rnn(7, 6));
        List<DataSet> data = data(7, LANES);
        UnrollTrainingMaster master =
                UnrollTrainingMaster.replicas(replicas).averagingEvery(every).build();
        float[] expected = trained(network, data, 2, master);

        ComputationGraph graph = initial(network).toComputationGraph();
        SparkComputationGraph spark = new SparkComputationGraph(context, graph, master);
        spark.fit(rdd(data, 2));
        ComputationGraph ofMany = initial(network).toComputationGraph();
        new SparkComputationGraph(context, ofMany, master)
                .fitMultiDataSet(rdd(data, 3).map(DataSet::toMultiDataSet));

        assertArrayEquals(expected, floats(graph.params()));
        assertArrayEquals(expected, floats(ofMany.params()));
        assertEquals(graph.score(), spark.getScore());
    }

    @Test
    void layersWithoutStateLearnAsInAPlainFit() {
        start(1);
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
        for (DataSet each : data(6, 2)) {
            data.add(new DataSet(
                    each.getFeatures().mean(2),
                    each.getLabels().tensorAlongDimension(0, 0, 1).dup()));
        }
        MultiLayerNetwork expected = initial(network);
        data.forEach(expected::fit);

        float[] actual =
                trained(network, data, 2, UnrollTrainingMaster.replicas(1).build());

        assertTrue(distance(expected.params(), actual) < 1e-6);
    }

    @Test
    void chunksCanBeFilesAndListenersHearOfEachMean(@TempDir Path folder) throws IOException {
        start(2);
        MultiLayerConfiguration network = network(1, lstm(FEATURES, 7, Activation.TANH));
        List<DataSet> data = data(6, LANES);
        List<String> paths = new ArrayList<>();
        for (int i = 0; i < data.size(); i++) {
            Path file = folder.resolve(i + ".bin");
            data.get(i).save(file.toFile());
            paths.add(file.toUri().toString());
        }
        UnrollTrainingMaster master =
                UnrollTrainingMaster.replicas(2).averagingEvery(2).build();
        float[] expected = trained(network, data, 2, master);
        List<Integer> iterations = new ArrayList<>();
        SparkDl4jMultiLayer spark = new SparkDl4jMultiLayer(context, initial(network), master);
        spark.setListeners(new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                assertTrue(Double.isFinite(model.score()));
                iterations.add(iteration);
            }
        });
        spark.fitPaths(context.parallelize(paths, 3));

        assertArrayEquals(expected, floats(spark.getNetwork().params()));
        assertEquals(List.of(2, 3), iterations);
    }

    @Test
    void whatCannotBeTrainedIsRefusedInOneSentence() {
        start(1);
        BaseLayer lstm = lstm(FEATURES, 7, Activation.TANH);
        UnrollTrainingMaster two = UnrollTrainingMaster.replicas(2).build();
        List<DataSet> otherLanes = new ArrayList<>(data(3, LANES));
        otherLanes.addAll(data(3, LANES + 1));
        MultiLayerConfiguration doubles = network(1, lstm);
        doubles.setDataType(DataType.DOUBLE);
        MultiLayerConfiguration bothWays = new NeuralNetConfiguration.Builder()
                .list(new Bidirectional(Bidirectional.Mode.ADD, (LSTM) lstm), output(7))
                .build();

        refused("the training data are 1 DataSets", () -> trained(network(1, lstm), data(1, LANES), 1, two));
        refused(
                "DataSet 3 has 4 lanes, and the one before it in replica 0 has 3",
                () -> trained(
                        network(1, lstm),
                        otherLanes,
                        1,
                        UnrollTrainingMaster.replicas(1).build()));
        refused("the network is of DOUBLE", () -> trained(doubles, data(2, LANES), 1, two));
        refused("the layer 0 (BidirectionalLayer) cannot carry", () -> trained(bothWays, data(2, LANES), 1, two));
        refused("replicas is 0", () -> UnrollTrainingMaster.replicas(0));
        refused("averagingEvery is -1", () -> UnrollTrainingMaster.replicas(1).averagingEvery(-1));
    }

    private static void refused(String start, Runnable work) {
        String message = assertThrows(UnrollException.class, work::run).getMessage();
        assertTrue(message.startsWith(start), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void whatThereIsNotIsSaid() {
        UnrollTrainingMaster master =
                UnrollTrainingMaster.replicas(2).averagingEvery(4).seed(9).build();

        assertEquals("{\"replicas\":2,\"averagingEvery\":4,\"seed\":9}", master.toJson());
        assertThrows(UnsupportedOperationException.class, () -> master.addHook(null));
        assertThrows(UnsupportedOperationException.class, () -> master.setCollectTrainingStats(true));
        assertThrows(UnsupportedOperationException.class, () -> master.getWorkerInstance((SparkComputationGraph) null));
    }

    private float[] trained(
            MultiLayerConfiguration network, List<DataSet> data, int partitions, UnrollTrainingMaster master) {
        MultiLayerNetwork net = initial(network);
        new SparkDl4jMultiLayer(context, net, master).fit(rdd(data, partitions));
        return floats(net.params());
    }

    private JavaRDD<DataSet> rdd(List<DataSet> data, int partitions) {
        return context.parallelize(data, partitions);
    }

    private static float[] floats(INDArray array) {
        return array.dup().data().asFloat();
    }

    private static double distance(INDArray expected, float[] actual) {
        return expected.reshape(expected.length())
                        .sub(Nd4j.createFromArray(actual))
                        .norm2Number()
                        .doubleValue()
                / expected.norm2Number().doubleValue();
    }

    private static MultiLayerNetwork initial(MultiLayerConfiguration network) {
        MultiLayerNetwork net = new MultiLayerNetwork(network.clone());
        net.init();
        return net;
    }

    /** @param keep the share of its inputs that each recurrent layer keeps in training */
    private static MultiLayerConfiguration network(double keep, BaseLayer... recurrent) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Nesterovs(0.05, 0.9))
                .dropOut(keep == 1 ? 0 : keep)
                .list(recurrent);
        long size = ((org.deeplearning4j.nn.conf.layers.FeedForwardLayer) recurrent[recurrent.length - 1]).getNOut();
        return list.layer(recurrent.length, output((int) size)).build();
    }

    private static BaseLayer lstm(int in, int out, Activation activation) {
        return new LSTM.Builder().nIn(in).nOut(out).activation(activation).build();
    }

    private static BaseLayer rnn(int in, int out) {
        return new SimpleRnn.Builder()
                .nIn(in)
                .nOut(out)
                .activation(Activation.TANH)
                .build();
    }

    private static RnnOutputLayer output(int in) {
        return new RnnOutputLayer.Builder(new LossMCXENT())
                .nIn(in)
                .nOut(CLASSES)
                .dataFormat(RNNFormat.NCW)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static List<DataSet> data(int chunks, int lanes) {
        SplittableRandom random = new SplittableRandom(23);
        List<DataSet> data = new ArrayList<>();
        for (int i = 0; i < chunks; i++) {
            INDArray features = Nd4j.create(DataType.FLOAT, lanes, FEATURES, STEPS);
            INDArray labels = Nd4j.create(DataType.FLOAT, lanes, CLASSES, STEPS);
            for (int lane = 0; lane < lanes; lane++) {
                for (int step = 0; step < STEPS; step++) {
                    for (int feature = 0; feature < FEATURES; feature++) {
                        features.putScalar(lane, feature, step, random.nextDouble(-1, 1));
                    }
                    labels.putScalar(lane, random.nextInt(CLASSES), step, 1);
                }
            }
            data.add(new DataSet(features, labels));
        }
        return data;
    }
}
