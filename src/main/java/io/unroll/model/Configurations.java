package io.unroll.model;

import io.unroll.config.Settings;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Creates Deeplearning4j's configuration of a {@link NetworkShape}. */
final class Configurations {
    private Configurations() {}

    /** @return embedding, recurrent layers and output, all Deeplearning4j's classes except {@link Gru} */
    static MultiLayerConfiguration of(NetworkShape shape, long seed) {
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
                .weightInit(new NormalDistribution(0, embeddingDeviation(model)))
                .build());
        for (int layer = 0; layer < model.layers(); layer++) {
            BaseRecurrentLayer layerConfiguration = recurrent(model)
                    .nIn(layer == 0 ? model.embedding() : model.hidden())
                    .nOut(model.hidden())
                    .activation(model.activation() == Settings.Activation.RELU ? Activation.RELU : Activation.TANH)
                    .dropOut(dropout(model, layer == 0 ? model.inputDropout() : model.dropout()))
                    .build();
            boolean last = layer == model.layers() - 1;
            list.layer(
                    last && shape.pools() && model.pooling() == Settings.Pooling.LAST
                            ? new LastTimeStep(layerConfiguration)
                            : layerConfiguration);
        }
        if (shape.outputs() > 0) {
            addOutput(list, shape);
        }
        return shape.pools()
                ? list.build()
                : list.backpropType(BackpropType.TruncatedBPTT)
                        .tBPTTLength(Integer.MAX_VALUE)
                        .build();
    }

    private static void addOutput(NeuralNetConfiguration.ListBuilder list, NetworkShape shape) {
        BaseOutputLayer.Builder<?> output = shape.pools()
                ? new OutputLayer.Builder(new LossMCXENT())
                : new RnnOutputLayer.Builder(new LossMCXENT()).dataFormat(RNNFormat.NCW);
        if (shape.pools() && shape.model().pooling() != Settings.Pooling.LAST) {
            boolean isMean = shape.model().pooling() == Settings.Pooling.MEAN;
            list.layer(new GlobalPoolingLayer(isMean ? PoolingType.AVG : PoolingType.MAX));
        }
        list.layer(output.nIn(shape.model().hidden())
                .nOut(shape.outputs())
                .activation(Activation.SOFTMAX)
                .dropOut(dropout(shape.model(), shape.model().dropout()))
                .build());
    }

    /** A tied embedding is also the output matrix, whose products with a hidden state should be about 1. */
    private static double embeddingDeviation(Settings.Model model) {
        return model.tied() ? 1 / Math.sqrt(model.hidden()) : 1;
    }

    @SuppressWarnings("deprecation") // GravesLSTM: Deeplearning4j's only LSTM with peepholes.
    private static BaseRecurrentLayer.Builder<?> recurrent(Settings.Model model) {
        return switch (model.cell()) {
            case LSTM -> model.peepholes()
                    ? new org.deeplearning4j.nn.conf.layers.GravesLSTM.Builder().forgetGateBiasInit(1)
                    : new LSTM.Builder().forgetGateBiasInit(1);
            case GRU -> model.resetAfter() ? new Gru.Builder().resetAfter() : new Gru.Builder();
            case RNN -> new SimpleRnn.Builder();
        };
    }

    /** @return null for no dropout; Deeplearning4j takes the probability of keeping a number */
    private static IDropout dropout(Settings.Model model, double probability) {
        if (probability == 0) {
            return null;
        }
        double kept = 1 - probability;
        return model.lockedDropout() ? new SpatialDropout(kept) : new Dropout(kept);
    }

    static IUpdater updater(Settings.Optimizer optimizer) {
        return switch (optimizer) {
            case ADAM -> new Adam();
            case RMSPROP -> new RmsProp();
            case SGD -> new Sgd();
        };
    }
}
