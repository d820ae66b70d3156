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
 * Slow reference implementation: calls stock LSTM layers and a stock output layer one by one, carries the state
 * from chunk to chunk, and starts the gradient from the carried state.
 */
final class StockTraining {
    private static final LayerWorkspaceMgr WORKSPACES = LayerWorkspaceMgr.noWorkspaces();

    private final MultiLayerNetwork net;
    private int iteration;

    /** @param net initial network; it is copied */
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
        Gradient gradient = new DefaultGradient(net.getGradientsViewArray());
        Pair<Gradient, INDArray> backward = output.backpropGradient(null, WORKSPACES);
        add(gradient, last, backward.getFirst());
        for (int i = last - 1; i >= 0; i--) {
            int steps = (int) chunk.getFeatures().size(2);
            backward =
                    ((RecurrentLayer) net.getLayer(i)).tbpttBackpropGradient(backward.getSecond(), steps, WORKSPACES);
            add(gradient, i, backward.getFirst());
        }
        int lanes = (int) chunk.getFeatures().size(0);
        net.getUpdater().update(net, gradient, iteration++, net.getEpochCount(), lanes, WORKSPACES);
        net.params().subi(net.getGradientsViewArray().reshape(net.params().shape()));
    }

    private static void add(Gradient gradient, int layer, Gradient layerGradient) {
        layerGradient
                .gradientForVariable()
                .forEach((name, values) -> gradient.setGradientFor(layer + "_" + name, values));
    }
}
