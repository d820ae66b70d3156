package io.unroll.model;

import io.unroll.config.Settings;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Deeplearning4j configurations of a shape; the two differ in layer classes and loss, not in parameters. */
final class Configurations {
    private Configurations() {}

    /** The network that Unroll trains and runs. */
    static MultiLayerConfiguration training(NetworkShape shape, long seed) {
        return build(shape, seed, new SparseSoftmaxCrossEntropy(), CarryingLstm::new, new CarryingRnn.Builder());
    }

    /** The same network of Deeplearning4j's own classes, which loads where Unroll is absent. */
    static MultiLayerConfiguration plain(NetworkShape shape) {
        return build(shape, 0, new LossMCXENT(), UnaryOperator.identity(), new SimpleRnn.Builder());
    }

    private static MultiLayerConfiguration build(
            NetworkShape shape, long seed, ILossFunction loss, UnaryOperator<LSTM> lstm, SimpleRnn.Builder rnn) {
        Settings.Model model = shape.model();
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.XAVIER)
                .miniBatch(false)
                .updater(updater(shape.optimizer()))
                .list();
        list.layer(new EmbeddingSequenceLayer.Builder()
                .nIn(shape.vocabulary())
                .nOut(model.embedding())
                .weightInit(new NormalDistribution(0, 1))
                .build());
        for (int layer = 0; layer < model.layers(); layer++) {
            int inputs = layer == 0 ? model.embedding() : model.hidden();
            list.layer(recurrent(model, inputs, layer > 0 ? model.dropout() : 0, lstm, rnn));
        }
        list.layer(new RnnOutputLayer.Builder(loss)
                .nIn(model.hidden())
                .nOut(shape.vocabulary())
                .dataFormat(RNNFormat.NCW)
                .activation(Activation.SOFTMAX)
                .dropOut(retain(model.dropout()))
                .build());
        return list.backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(Integer.MAX_VALUE)
                .build();
    }

    private static FeedForwardLayer recurrent(
            Settings.Model model, int inputs, double dropout, UnaryOperator<LSTM> lstm, SimpleRnn.Builder rnn) {
        return switch (model.cell()) {
            case LSTM -> lstm.apply(new LSTM.Builder()
                    .nIn(inputs)
                    .nOut(model.hidden())
                    .activation(Activation.TANH)
                    .forgetGateBiasInit(1)
                    .dropOut(retain(dropout))
                    .build());
            case RNN -> rnn.nIn(inputs)
                    .nOut(model.hidden())
                    .activation(Activation.TANH)
                    .dropOut(retain(dropout))
                    .build();
        };
    }

    /** Deeplearning4j counts what is kept, and takes 0 for no dropout. */
    private static double retain(double dropout) {
        return dropout == 0 ? 0 : 1 - dropout;
    }

    static IUpdater updater(Settings.Optimizer optimizer) {
        return switch (optimizer) {
            case ADAM -> new Adam();
            case RMSPROP -> new RmsProp();
            case SGD -> new Sgd();
        };
    }
}
