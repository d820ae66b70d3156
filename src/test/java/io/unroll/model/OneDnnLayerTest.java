package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Compares the layer with Deeplearning4j's own layers. */
class OneDnnLayerTest {
    private static final LayerWorkspaceMgr WORKSPACES = LayerWorkspaceMgr.noWorkspaces();
    private static final double TOLERANCE = 1e-5;

    private record Case(String name, BaseRecurrentLayer layer, int lanes, int steps) {
        @Override
        public String toString() {
            return name + " " + layer.getNIn() + " to " + layer.getNOut() + ", " + lanes + " x " + steps;
        }
    }

    @SuppressWarnings("deprecation") // GravesLSTM: Deeplearning4j's only LSTM with peepholes.
    static Stream<Case> cases() {
        SplittableRandom random = new SplittableRandom(11);
        Stream.Builder<Case> cases = Stream.builder();
        for (int i = 0; i < 8; i++) {
            int[] sizes = i == 0
                    ? new int[] {1, 1, 1, 1}
                    : new int[] {
                        random.nextInt(1, 20),
                        random.nextInt(1, 35),
                        1 + 2 * random.nextInt(70),
                        1 + 2 * random.nextInt(70)
                    };
            var builders = Map.of(
                    "LSTM", new LSTM.Builder().activation(Activation.TANH),
                    "GravesLSTM",
                            new org.deeplearning4j.nn.conf.layers.GravesLSTM.Builder().activation(Activation.TANH),
                    "tanh", new SimpleRnn.Builder().activation(Activation.TANH),
                    "relu", new SimpleRnn.Builder().activation(Activation.RELU));
            builders.forEach((name, builder) -> {
                BaseRecurrentLayer layer = builder.nIn(sizes[2]).nOut(sizes[3]).build();
                cases.add(new Case(name, layer, sizes[0], sizes[1]));
            });
        }
        return cases.build();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void outputAndGradientsEqualThoseOfTheStockLayer(Case layerCase) {
        Pair pair = new Pair(layerCase.layer);
        INDArray input = gaussian(5, layerCase.lanes, layerCase.layer.getNIn(), layerCase.steps);
        INDArray error = gaussian(6, layerCase.lanes, layerCase.layer.getNOut(), layerCase.steps);

        assertClose(
                pair.stock.activate(input.dup(), true, WORKSPACES), pair.ours.activate(input.dup(), true, WORKSPACES));
        INDArray expected =
                pair.stock.backpropGradient(error.dup('f'), WORKSPACES).getSecond();
        INDArray actual = pair.ours.backpropGradient(error.dup('f'), WORKSPACES).getSecond();

        assertClose(expected, actual);
        assertClose(pair.stockGradient, pair.ourGradient);
        pair.ours.close();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void stateIsCarriedAsInTheStockLayer(Case layerCase) {
        Pair pair = new Pair(layerCase.layer);
        for (int i = 0; i < 3; i++) {
            INDArray input = gaussian(i, layerCase.lanes, layerCase.layer.getNIn(), layerCase.steps);
            assertClose(
                    pair.stock.rnnTimeStep(input.dup(), WORKSPACES), pair.ours.rnnTimeStep(input.dup(), WORKSPACES));
        }
        Map<String, INDArray> expected = pair.stock.rnnGetPreviousState();
        Map<String, INDArray> actual = pair.ours.rnnGetPreviousState();
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, values) -> assertClose(values, actual.get(name)));
        pair.ours.close();
    }

    /** The layers are replaced before the first training step, in which a network sets their gradient views. */
    @Test
    void stockNetworkWithTheseLayersLearnsTheSame() {
        MultiLayerNetwork stock = network();
        MultiLayerNetwork ours = network();
        for (int i = 0; i < 2; i++) {
            ours.getLayers()[i] = replacement(ours.getLayers()[i]);
        }
        INDArray input = gaussian(5, 6, 3, 9);
        INDArray labels = Nd4j.nn().softmax(gaussian(6, 6, 4, 9).muli(5), 1);
        for (int i = 0; i < 10; i++) {
            stock.fit(new DataSet(input, labels));
            ours.fit(new DataSet(input, labels));
        }
        assertClose(stock.params(), ours.params());
        assertClose(stock.output(input), ours.output(input));
    }

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Sgd(0.02))
                .list()
                .layer(new LSTM.Builder()
                        .nIn(3)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build())
                .layer(new SimpleRnn.Builder()
                        .nIn(5)
                        .nOut(7)
                        .activation(Activation.TANH)
                        .build())
                .layer(new RnnOutputLayer.Builder(new LossMCXENT())
                        .nIn(7)
                        .nOut(4)
                        .dataFormat(RNNFormat.NCW)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    private static INDArray gaussian(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }

    private static OneDnnLayer replacement(Layer stock) {
        OneDnnLayer ours = new OneDnnLayer(stock.conf());
        ours.setIndex(stock.getIndex());
        ours.setParamsViewArray(stock.params());
        ours.setParamTable(stock.paramTable());
        return ours;
    }

    /** A stock layer and ours with the same parameters. */
    private static final class Pair {
        private final RecurrentLayer stock;
        private final OneDnnLayer ours;
        private final INDArray stockGradient;
        private final INDArray ourGradient;

        Pair(BaseRecurrentLayer layer) {
            NeuralNetConfiguration conf =
                    new NeuralNetConfiguration.Builder().layer(layer).build();
            long size = layer.initializer().numParams(conf);
            INDArray parameters = gaussian(4, 1, size).divi(Math.sqrt(layer.getNOut() + 1d));
            stock = (RecurrentLayer) conf.getLayer().instantiate(conf, null, 0, parameters, false, DataType.FLOAT);
            stockGradient = Nd4j.create(DataType.FLOAT, 1, size);
            stock.setBackpropGradientsViewArray(stockGradient);
            ours = replacement(stock);
            ourGradient = Nd4j.create(DataType.FLOAT, 1, size);
            ours.setBackpropGradientsViewArray(ourGradient);
        }
    }

    private static void assertClose(INDArray expected, INDArray actual) {
        double distance = distance(expected, actual);
        assertTrue(distance < TOLERANCE, "distance " + distance + " of " + expected + " and " + actual);
    }

    /** Relative to the norm of the expected array if that is above 1. */
    private static double distance(INDArray expected, INDArray actual) {
        if (!expected.equalShapes(actual)) {
            return Double.POSITIVE_INFINITY;
        }
        double norm = expected.norm2Number().doubleValue();
        return expected.sub(actual).norm2Number().doubleValue() / Math.max(1, norm);
    }
}
