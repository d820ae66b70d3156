package io.unroll.model;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
import org.deeplearning4j.nn.weights.IWeightInit;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Creates the parameters of a {@link Gru}, with the names and initial values of Deeplearning4j's LSTM. */
final class GruParamInitializer extends LSTMParamInitializer {
    static final GruParamInitializer INSTANCE = new GruParamInitializer();

    private GruParamInitializer() {}

    @Override
    public long numParams(Layer layer) {
        Gru gru = (Gru) layer;
        return gru.cell().parameterCount(gru.getNIn(), gru.getNOut());
    }

    @Override
    public Map<String, INDArray> init(NeuralNetConfiguration conf, INDArray parameters, boolean initialize) {
        Gru gru = (Gru) conf.getLayer();
        paramKeys(gru).forEach(conf::addVariable);
        Map<String, INDArray> table = getGradientsFromFlattened(conf, parameters);
        if (initialize) {
            IWeightInit recurrent =
                    gru.getWeightInitFnRecurrent() == null ? gru.getWeightInitFn() : gru.getWeightInitFnRecurrent();
            double fanIn = (double) gru.getNOut();
            double fanOut = (double) gru.getNIn() + gru.getNOut();
            drawWeights(gru.getWeightInitFn(), fanIn, fanOut, table.get(INPUT_WEIGHT_KEY));
            drawWeights(recurrent, fanIn, fanOut, table.get(RECURRENT_WEIGHT_KEY));
            table.get(BIAS_KEY).assign(gru.getBiasInit());
        }
        return table;
    }

    private static void drawWeights(IWeightInit init, double fanIn, double fanOut, INDArray weights) {
        INDArray flat = weights.reshape('f', new long[] {weights.length()});
        init.init(fanIn, fanOut, weights.shape(), IWeightInit.DEFAULT_WEIGHT_INIT_ORDER, flat);
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(NeuralNetConfiguration conf, INDArray flat) {
        Gru gru = (Gru) conf.getLayer();
        long blocks = gru.cell().blocks() * gru.getNOut();
        long recurrent = gru.cell().inputWeightCount(gru.getNIn(), gru.getNOut());
        long bias = gru.cell().biasStart(gru.getNIn(), gru.getNOut());
        INDArray row = flat.reshape(flat.length());
        Map<String, INDArray> views = new LinkedHashMap<>();
        views.put(INPUT_WEIGHT_KEY, row.get(interval(0, recurrent)).reshape('f', gru.getNIn(), blocks));
        views.put(RECURRENT_WEIGHT_KEY, row.get(interval(recurrent, bias)).reshape('f', gru.getNOut(), blocks));
        views.put(BIAS_KEY, row.get(interval(bias, numParams(gru))));
        return views;
    }
}
