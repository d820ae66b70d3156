package io.unroll.spark.dl4j;

import static io.unroll.spark.dl4j.TestNetworks.CLASSES;
import static io.unroll.spark.dl4j.TestNetworks.FEATURES;
import static io.unroll.spark.dl4j.TestNetworks.LANES;
import static io.unroll.spark.dl4j.TestNetworks.STEPS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.UnrollException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** One invalid DataSet among valid ones. */
class BadDataSetsIT {
    private static LocalSpark spark;

    @BeforeAll
    static void start() {
        spark = new LocalSpark(1);
    }

    @AfterAll
    static void stop() {
        spark.close();
    }

    static Stream<Arguments> invalid() {
        INDArray features = array(LANES, FEATURES, STEPS);
        INDArray labels = array(LANES, CLASSES, STEPS);
        return Stream.of(
                Arguments.of("two-dimensional", new DataSet(array(LANES, FEATURES), array(LANES, CLASSES))),
                Arguments.of("two-dimensional features", new DataSet(array(LANES, FEATURES), labels)),
                Arguments.of("two-dimensional labels", new DataSet(features, array(LANES, CLASSES))),
                Arguments.of("four-dimensional", new DataSet(array(LANES, FEATURES, STEPS, 1), labels)),
                Arguments.of("one-dimensional", new DataSet(array(LANES), array(LANES))),
                Arguments.of("more features", new DataSet(array(LANES, FEATURES + 1, STEPS), labels)),
                Arguments.of("fewer features", new DataSet(array(LANES, FEATURES - 1, STEPS), labels)),
                Arguments.of("steps before features", new DataSet(array(LANES, STEPS, FEATURES), labels)),
                Arguments.of("more classes", new DataSet(features, array(LANES, CLASSES + 1, STEPS))),
                Arguments.of("fewer classes", new DataSet(features, array(LANES, CLASSES - 1, STEPS))),
                Arguments.of("more label steps", new DataSet(features, array(LANES, CLASSES, STEPS + 1))),
                Arguments.of("fewer label steps", new DataSet(features, array(LANES, CLASSES, STEPS - 1))),
                Arguments.of("more label lanes", new DataSet(features, array(LANES + 1, CLASSES, STEPS))),
                Arguments.of("fewer label lanes", new DataSet(features, array(LANES - 1, CLASSES, STEPS))),
                Arguments.of("no features", new DataSet(null, labels)),
                Arguments.of("no labels", new DataSet(features, null)),
                Arguments.of("nothing", new DataSet()),
                Arguments.of("no steps", new DataSet(array(LANES, FEATURES, 0), array(LANES, CLASSES, 0))),
                Arguments.of("feature mask of other steps", masked(array(LANES, STEPS + 1), null)),
                Arguments.of("feature mask of other lanes", masked(array(LANES + 1, STEPS), null)),
                Arguments.of("feature mask of one dimension", masked(array(STEPS), null)),
                Arguments.of("label mask of other steps", masked(null, array(LANES, STEPS + 1))),
                Arguments.of("label mask of other lanes", masked(null, array(LANES + 1, STEPS))),
                Arguments.of("label mask of one dimension", masked(null, array(STEPS))),
                Arguments.of("label mask of other classes", masked(null, array(LANES, CLASSES + 1, STEPS))));
    }

    private static INDArray array(long... shape) {
        return Nd4j.ones(DataType.FLOAT, shape);
    }

    private static DataSet masked(INDArray featureMask, INDArray labelMask) {
        return new DataSet(array(LANES, FEATURES, STEPS), array(LANES, CLASSES, STEPS), featureMask, labelMask);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("invalid")
    void namesTheInvalidDataSetInOneSentence(String kind, DataSet invalid) {
        for (Activation activation : List.of(Activation.TANH, Activation.SOFTSIGN)) {
            MultiLayerConfiguration recurrent = TestNetworks.network(1, TestNetworks.lstm(FEATURES, 7, activation));
            List<DataSet> data = new ArrayList<>(TestNetworks.data(3, LANES));
            data.set(1, invalid);

            String message = message(recurrent, data);

            assertTrue(message.startsWith("DataSet 1"), kind + ": " + message);
        }
    }

    private static String message(MultiLayerConfiguration network, List<DataSet> data) {
        MultiLayerNetwork net = TestNetworks.initial(network);
        float[] before = TestNetworks.floats(net.params());
        SparkDl4jMultiLayer wrapped = new SparkDl4jMultiLayer(
                spark.context(), net, UnrollTrainingMaster.replicas(1).build());
        UnrollException e = assertThrows(UnrollException.class, () -> wrapped.fit(spark.rdd(data, 2)));
        assertArrayEquals(before, TestNetworks.floats(net.params()));
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
        return e.getMessage();
    }

    @Test
    void namesAnUnreadableDataSetInOneSentence() {
        MultiLayerConfiguration network = TestNetworks.network(1, TestNetworks.rnn(FEATURES, 7));
        MultiLayerNetwork net = TestNetworks.initial(network);
        SparkDl4jMultiLayer wrapped = new SparkDl4jMultiLayer(
                spark.context(), net, UnrollTrainingMaster.replicas(1).build());

        UnrollException e = assertThrows(
                UnrollException.class,
                () -> wrapped.fitPaths(
                        spark.context().parallelize(List.of("file:/nowhere/0.bin", "file:/nowhere/1.bin"), 1)));

        assertTrue(e.getMessage().startsWith("DataSet 0 cannot be read: "), e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }

    @Test
    void refusesAnEmptyRdd() {
        String message = message(TestNetworks.network(1, TestNetworks.rnn(FEATURES, 7)), List.of());

        assertTrue(message.contains("there are 0 DataSets"), message);
    }

    @Test
    void trainsOnAnyNumericType() {
        MultiLayerConfiguration network = TestNetworks.network(1, TestNetworks.lstm(FEATURES, 7, Activation.TANH));
        List<float[]> trained = new ArrayList<>();
        for (DataType type : List.of(DataType.FLOAT, DataType.INT32, DataType.DOUBLE, DataType.INT64, DataType.BOOL)) {
            DataSet data = new DataSet(
                    array(LANES, FEATURES, STEPS).castTo(type),
                    array(LANES, CLASSES, STEPS).castTo(type));
            trained.add(spark.trained(
                    network, List.of(data), 1, UnrollTrainingMaster.replicas(1).build()));
        }
        for (float[] parameters : trained) {
            assertTrue(Arrays.equals(trained.get(0), parameters));
        }
    }
}
