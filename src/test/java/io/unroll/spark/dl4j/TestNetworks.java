package io.unroll.spark.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Small networks and random DataSets. */
final class TestNetworks {
    static final int LANES = 3;
    static final int FEATURES = 4;
    static final int STEPS = 6;
    static final int CLASSES = 5;

    private TestNetworks() {}

    static float[] floats(INDArray array) {
        return array.dup().data().asFloat();
    }

    /** @return the relative distance in the Euclidean norm */
    static double distance(INDArray expected, float[] actual) {
        return expected.reshape(expected.length())
                        .sub(Nd4j.createFromArray(actual))
                        .norm2Number()
                        .doubleValue()
                / expected.norm2Number().doubleValue();
    }

    static MultiLayerNetwork initial(MultiLayerConfiguration network) {
        MultiLayerNetwork net = new MultiLayerNetwork(network.clone());
        net.init();
        return net;
    }

    /** @param keep the share of inputs that dropout keeps; 1 for no dropout */
    static MultiLayerConfiguration network(double keep, BaseLayer... recurrent) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Nesterovs(0.05, 0.9))
                .dropOut(keep == 1 ? 0 : keep)
                .list(recurrent);
        long size = ((org.deeplearning4j.nn.conf.layers.FeedForwardLayer) recurrent[recurrent.length - 1]).getNOut();
        return list.layer(recurrent.length, output((int) size)).build();
    }

    static BaseLayer lstm(int in, int out, Activation activation) {
        return new LSTM.Builder().nIn(in).nOut(out).activation(activation).build();
    }

    static BaseLayer rnn(int in, int out) {
        return new SimpleRnn.Builder()
                .nIn(in)
                .nOut(out)
                .activation(Activation.TANH)
                .build();
    }

    static RnnOutputLayer output(int in) {
        return new RnnOutputLayer.Builder(new LossMCXENT())
                .nIn(in)
                .nOut(CLASSES)
                .dataFormat(RNNFormat.NCW)
                .activation(Activation.SOFTMAX)
                .build();
    }

    static List<DataSet> data(int chunks, int lanes) {
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
