package io.unroll.model;

import io.unroll.config.ConfigurationException;
import io.unroll.kernel.Scratchpad;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.recurrent.BaseRecurrentLayer;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Anybody's Deeplearning4j network, the recurrent layers of which carry their state from one call of {@code fit} to
 * the next: on oneDNN where it has the kernel. Gradients start from the carried state. Parameters are in
 * Deeplearning4j's order. Not safe for several threads.
 */
public final class StatefulGraph implements AutoCloseable {
    private final ComputationGraph graph;
    private final Scratchpad scratchpad = new Scratchpad();
    private final Map<String, RecurrentLayer> recurrent = new LinkedHashMap<>();

    /**
     * @param configuration of a float32 network; this object becomes the network's own
     * @throws ConfigurationException where a recurrent layer cannot carry its state
     */
    public StatefulGraph(ComputationGraphConfiguration configuration) {
        Natives.useThreads(1);
        graph = new ComputationGraph(configuration);
        graph.init();
        Layer[] layers = graph.getLayers();
        IdentityHashMap<Layer, Layer> replaced = new IdentityHashMap<>();
        for (GraphVertex vertex : graph.getVertices()) {
            if (vertex instanceof LayerVertex one) {
                Layer layer = stateful(vertex.getVertexName(), one.getLayer());
                replaced.put(one.getLayer(), layer);
                one.setLayer(layer);
            }
        }
        for (int i = 0; i < layers.length; i++) {
            layers[i] = replaced.getOrDefault(layers[i], layers[i]);
        }
    }

    private Layer stateful(String name, Layer layer) {
        if (layer instanceof BaseWrapperLayer wrapper && !(layer instanceof FrozenLayer)) {
            wrapper.setUnderlying(stateful(name, wrapper.getUnderlying()));
            return wrapper;
        }
        if (layer instanceof BaseRecurrentLayer<?> stock) {
            BaseRecurrentLayer<?> ours = replacement(name, stock);
            ours.setIndex(stock.getIndex());
            ours.setParamsViewArray(stock.params());
            ours.setParamTable(stock.paramTable());
            recurrent.put(name, ours);
            return ours;
        }
        boolean frozen = layer instanceof FrozenLayer one && one.getInsideLayer() instanceof RecurrentLayer;
        if (frozen || layer instanceof RecurrentLayer) {
            throw refused(name, layer);
        }
        return layer;
    }

    private BaseRecurrentLayer<?> replacement(String name, BaseRecurrentLayer<?> stock) {
        if (OneDnnLayer.supports(stock.layerConf())) {
            OneDnnLayer layer = new OneDnnLayer(stock.conf(), 0, false, scratchpad);
            layer.carryInTraining();
            return layer;
        }
        if (stock instanceof LSTM) {
            return new StatefulLstm(stock.conf());
        }
        throw refused(name, stock);
    }

    private static ConfigurationException refused(String name, Layer layer) {
        return new ConfigurationException("the layer " + name + " ("
                + layer.getClass().getSimpleName()
                + ") cannot carry its state from chunk to chunk: LSTM can, GravesLSTM with tanh and sigmoid, SimpleRnn"
                + " with tanh or relu and without layer normalization, and what wraps one of these but is not frozen"
                + " or bidirectional.");
    }

    public void setParameters(float[] values) {
        Floats.of(graph.params()).put(values);
    }

    public float[] parameters() {
        return Floats.copy(graph.params());
    }

    /** @param state empty where the updaters remember nothing */
    public void setUpdaterState(float[] state) {
        if (state.length > 0) {
            Floats.of(graph.updaterState()).put(state);
        }
    }

    /** @return empty where the updaters remember nothing */
    public float[] updaterState() {
        return graph.updaterState() == null ? new float[0] : Floats.copy(graph.updaterState());
    }

    /** Sets what schedules and updaters count from. */
    public void setCounts(int iteration, int epoch) {
        graph.getConfiguration().setIterationCount(iteration);
        graph.getConfiguration().setEpochCount(epoch);
    }

    /**
     * One step of training, which starts from the carried state and leaves the chunk's last state.
     *
     * @param dropoutSeed decides what is dropped in this step
     * @return Deeplearning4j's score of the chunk, before the step
     */
    public double train(MultiDataSet chunk, long dropoutSeed) {
        return Natives.use(1, () -> {
            Nd4j.getRandom().setSeed(dropoutSeed);
            graph.fit(chunk);
            return graph.score();
        });
    }

    public boolean carriesState() {
        return !recurrent.isEmpty();
    }

    /** @return for each recurrent layer, in the network's order, its arrays {@code [lanes, hidden]} by their names */
    public List<Map<String, INDArray>> state() {
        List<Map<String, INDArray>> state = new ArrayList<>();
        recurrent.values().forEach(layer -> state.add(layer.rnnGetTBPTTState()));
        return state;
    }

    /** @param state as {@link #state} gave it; empty for zero */
    public void setState(List<Map<String, INDArray>> state) {
        int next = 0;
        for (RecurrentLayer layer : recurrent.values()) {
            layer.rnnClearPreviousState();
            if (!state.isEmpty()) {
                layer.rnnSetTBPTTState(state.get(next++));
            }
        }
    }

    @Override
    public void close() {
        for (RecurrentLayer layer : recurrent.values()) {
            if (layer instanceof OneDnnLayer ours) {
                ours.close();
            }
        }
        scratchpad.close();
        graph.close();
    }
}
