package io.unroll.peers;

import io.unroll.bench.Case;
import io.unroll.bench.Peer;
import io.unroll.config.Settings;
import io.unroll.model.Natives;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** The layers that come with Deeplearning4j, with an embedding and one-hot labels. */
public final class StockDeeplearning4j implements Peer {
    @Override
    public String name() {
        return "deeplearning4j";
    }

    @Override
    public boolean supports(Case network) {
        return network.precision() == Settings.Precision.FLOAT32 && network.cell() != Settings.Cell.GRU;
    }

    @Override
    public Step open(Case network, int[][] tokens) {
        Natives.useThreads(network.threads());
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .updater(new Adam(Case.LEARNING_RATE))
                .gradientNormalization(GradientNormalization.ClipL2PerLayer)
                .gradientNormalizationThreshold(Case.CLIP_NORM)
                .list();
        list.layer(new EmbeddingSequenceLayer.Builder()
                .nIn(Case.VOCABULARY)
                .nOut(network.hidden())
                .build());
        for (int i = 0; i < Case.LAYERS; i++) {
            BaseRecurrentLayer.Builder<?> layer =
                    network.cell() == Settings.Cell.LSTM ? new LSTM.Builder() : new SimpleRnn.Builder();
            list.layer(layer.nIn(network.hidden())
                    .nOut(network.hidden())
                    .activation(Activation.TANH)
                    .build());
        }
        list.layer(new RnnOutputLayer.Builder(new LossMCXENT())
                .nIn(network.hidden())
                .nOut(Case.VOCABULARY)
                .dataFormat(RNNFormat.NCW)
                .activation(Activation.SOFTMAX)
                .build());
        MultiLayerNetwork net = new MultiLayerNetwork(list.build());
        net.init();
        return new Training(net, inputs(tokens), labels(tokens));
    }

    private static INDArray inputs(int[][] tokens) {
        INDArray inputs = Nd4j.create(DataType.INT32, Case.LANES, Case.STEPS);
        for (int lane = 0; lane < Case.LANES; lane++) {
            for (int step = 0; step < Case.STEPS; step++) {
                inputs.putScalar(lane, step, tokens[lane][step]);
            }
        }
        return inputs;
    }

    private static INDArray labels(int[][] tokens) {
        INDArray labels = Nd4j.create(DataType.FLOAT, new long[] {Case.LANES, Case.VOCABULARY, Case.STEPS}, 'f');
        for (int lane = 0; lane < Case.LANES; lane++) {
            for (int step = 0; step < Case.STEPS; step++) {
                labels.putScalar(lane, tokens[lane][step + 1], step, 1);
            }
        }
        return labels;
    }

    private record Training(MultiLayerNetwork net, INDArray inputs, INDArray labels) implements Step {
        @Override
        public void run() {
            net.fit(inputs, labels);
        }

        @Override
        public void close() {
            net.close();
        }
    }
}
