package io.unroll.spark.dl4j;

import static io.unroll.spark.dl4j.TestNetworks.FEATURES;
import static io.unroll.spark.dl4j.TestNetworks.LANES;
import static io.unroll.spark.dl4j.TestNetworks.data;
import static io.unroll.spark.dl4j.TestNetworks.floats;
import static io.unroll.spark.dl4j.TestNetworks.initial;
import static io.unroll.spark.dl4j.TestNetworks.lstm;
import static io.unroll.spark.dl4j.TestNetworks.network;
import static io.unroll.spark.dl4j.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/** What a training master accepts and refuses, on local Spark. */
class TrainingMasterContractIT {
    private LocalSpark spark;

    @AfterEach
    void stop() {
        if (spark != null) {
            spark.close();
        }
    }

    @Test
    void trainsOnFilesAndCallsListenersAfterEachRound(@TempDir Path folder) throws IOException {
        spark = new LocalSpark(2);
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
        float[] expected = spark.trained(network, data, 2, master);
        List<Integer> iterations = new ArrayList<>();
        SparkDl4jMultiLayer wrapped = new SparkDl4jMultiLayer(spark.context(), initial(network), master);
        wrapped.setListeners(new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                assertTrue(Double.isFinite(model.score()));
                iterations.add(iteration);
            }
        });
        wrapped.fitPaths(spark.context().parallelize(paths, 3));

        assertArrayEquals(expected, floats(wrapped.getNetwork().params()));
        assertEquals(List.of(2, 3), iterations);
    }

    @Test
    void refusesInvalidDataAndNetworksInOneSentence() {
        spark = new LocalSpark(1);
        BaseLayer lstm = lstm(FEATURES, 7, Activation.TANH);
        UnrollTrainingMaster two = UnrollTrainingMaster.replicas(2).build();
        List<DataSet> otherLanes = new ArrayList<>(data(3, LANES));
        otherLanes.addAll(data(3, LANES + 1));
        MultiLayerConfiguration doubles = network(1, lstm);
        doubles.setDataType(DataType.DOUBLE);
        MultiLayerConfiguration bothWays = new NeuralNetConfiguration.Builder()
                .list(new Bidirectional(Bidirectional.Mode.ADD, (LSTM) lstm), output(7))
                .build();

        assertRefuses(
                "there are 1 DataSets for 2 replicas", () -> spark.trained(network(1, lstm), data(1, LANES), 1, two));
        assertRefuses(
                "DataSet 3 has 4 lanes, and the one before it in replica 0 has 3",
                () -> spark.trained(
                        network(1, lstm),
                        otherLanes,
                        1,
                        UnrollTrainingMaster.replicas(1).build()));
        assertRefuses("the network has the data type DOUBLE", () -> spark.trained(doubles, data(2, LANES), 1, two));
        assertRefuses(
                "the layer 0 (BidirectionalLayer) cannot carry", () -> spark.trained(bothWays, data(2, LANES), 1, two));
        assertRefuses("replicas is 0", () -> UnrollTrainingMaster.replicas(0));
        assertRefuses(
                "averagingEvery is -1", () -> UnrollTrainingMaster.replicas(1).averagingEvery(-1));
    }

    private static void assertRefuses(String start, Runnable work) {
        String message = assertThrows(UnrollException.class, work::run).getMessage();
        assertTrue(message.startsWith(start), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void throwsForUnsupportedMethods() {
        UnrollTrainingMaster master =
                UnrollTrainingMaster.replicas(2).averagingEvery(4).seed(9).build();

        assertEquals("{\"replicas\":2,\"averagingEvery\":4,\"seed\":9}", master.toJson());
        assertThrows(UnsupportedOperationException.class, () -> master.addHook(null));
        assertThrows(UnsupportedOperationException.class, () -> master.setCollectTrainingStats(true));
        assertThrows(UnsupportedOperationException.class, () -> master.getWorkerInstance((SparkComputationGraph) null));
    }
}
