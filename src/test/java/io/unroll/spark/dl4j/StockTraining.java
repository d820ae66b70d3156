package io.unroll.spark.dl4j;

import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The slow obvious reference: stock LSTM layers and a stock output layer, called one after the other by hand, the state
 * carried and the gradient from the carried state.
 */
final class StockTraining {
    private static final LayerWorkspaceMgr WORKSPACES = LayerWorkspaceMgr.noWorkspaces();

    private final MultiLayerNetwork net;
    private int iteration;

    /** @param net from which this goes on */
    StockTraining(MultiLayerNetwork net) {
        this.net = net.clone();
        this.net.initGradientsView();
        this.iteration = net.getIterationCount();
    }

    MultiLayerNetwork net() {
        return net;
    }

    void step(DataSet chunk) {
        int last = net.getnLayers() - 1;
        INDArray values = chunk.getFeatures();
        for (int i = 0; i < last; i++) {
            RecurrentLayer layer = (RecurrentLayer) net.getLayer(i);
            layer.rnnSetPreviousState(layer.rnnGetTBPTTState());
            values = layer.rnnActivateUsingStoredState(values, true, true, WORKSPACES);
        }
        IOutputLayer output = (IOutputLayer) net.getLayer(last);
        output.setInput(values, WORKSPACES);
        output.setLabels(chunk.getLabels());
        output.setMaskArray(chunk.getLabelsMaskArray());
        Gradient all = new DefaultGradient(net.getGradientsViewArray());
        Pair<Gradient, INDArray> back = output.backpropGradient(null, WORKSPACES);
        add(all, last, back.getFirst());
        for (int i = last - 1; i >= 0; i--) {
            int steps = (int) chunk.getFeatures().size(2);
            back = ((RecurrentLayer) net.getLayer(i)).tbpttBackpropGradient(back.getSecond(), steps, WORKSPACES);
            add(all, i, back.getFirst());
        }
        int lanes = (int) chunk.getFeatures().size(0);
        net.getUpdater().update(net, all, iteration++, net.getEpochCount(), lanes, WORKSPACES);
        net.params().subi(net.getGradientsViewArray().reshape(net.params().shape()));
    }

    private static void add(Gradient all, int layer, Gradient one) {
        one.gradientForVariable().forEach((name, values) -> all.setGradientFor(layer + "_" + name, values));
    }
}
