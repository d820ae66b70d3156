package io.unroll.model;

import io.unroll.config.ConfigurationException;
import io.unroll.kernel.KernelMemory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
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
 * A user's Deeplearning4j network whose recurrent layers carry their state from one training step to the next, as in
 * truncated backpropagation through time. Its recurrent layers run on oneDNN if that supports them. Parameters are in
 * Deeplearning4j's order. Not thread-safe.
 */
public final class StatefulGraph implements Trainee {
    private static final List<String> STATE_KEYS = List.of(LSTM.STATE_KEY_PREV_ACTIVATION, LSTM.STATE_KEY_PREV_MEMCELL);

    private final ComputationGraph graph;
    private final KernelMemory kernelMemory = new KernelMemory();
    private final Map<String, BaseRecurrentLayer<?>> recurrent = new LinkedHashMap<>();

    /**
     * @param configuration configuration of a float32 network; the network uses this object, not a copy
     * @throws ConfigurationException if a recurrent layer cannot carry its state
     */
    public StatefulGraph(ComputationGraphConfiguration configuration) {
        Natives.useThreads(1);
        graph = new ComputationGraph(configuration);
        graph.init();
        Layer[] layers = graph.getLayers();
        IdentityHashMap<Layer, Layer> replaced = new IdentityHashMap<>();
        for (GraphVertex vertex : graph.getVertices()) {
            if (vertex instanceof LayerVertex layerVertex) {
                Layer layer = stateful(vertex.getVertexName(), layerVertex.getLayer());
                replaced.put(layerVertex.getLayer(), layer);
                layerVertex.setLayer(layer);
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
        if (layer instanceof BaseRecurrentLayer<?> original) {
            BaseRecurrentLayer<?> replacement = replacement(name, original);
            replacement.setIndex(original.getIndex());
            replacement.setParamsViewArray(original.params());
            replacement.setParamTable(original.paramTable());
            recurrent.put(name, replacement);
            return replacement;
        }
        boolean frozen = layer instanceof FrozenLayer wrapper && wrapper.getInsideLayer() instanceof RecurrentLayer;
        if (frozen || layer instanceof RecurrentLayer) {
            throw unsupported(name, layer);
        }
        return layer;
    }

    private BaseRecurrentLayer<?> replacement(String name, BaseRecurrentLayer<?> original) {
        if (OneDnnLayer.supports(original.layerConf())) {
            OneDnnLayer layer = new OneDnnLayer(original.conf(), kernelMemory);
            layer.carryInTraining();
            return layer;
        }
        if (original instanceof LSTM) {
            return new StatefulLstm(original.conf());
        }
        throw unsupported(name, original);
    }

    private static ConfigurationException unsupported(String name, Layer layer) {
        return new ConfigurationException("the layer " + name + " ("
                + layer.getClass().getSimpleName()
                + ") cannot carry its state from chunk to chunk. Supported are LSTM, GravesLSTM with tanh and sigmoid,"
                + " SimpleRnn with tanh or relu and without layer normalization, and wrappers of these that are"
                + " neither frozen nor bidirectional.");
    }

    @Override
    public void setParameters(float[] values) {
        NativeFloats.of(graph.params()).put(values);
    }

    @Override
    public float[] parameters() {
        return NativeFloats.copy(graph.params());
    }

    @Override
    public void setOptimizerState(float[] state) {
        if (state.length > 0) {
            NativeFloats.of(graph.updaterState()).put(state);
        }
    }

    @Override
    public float[] optimizerState() {
        return graph.updaterState() == null ? new float[0] : NativeFloats.copy(graph.updaterState());
    }

    /** Sets the iteration and the epoch for learning-rate schedules and updaters. */
    public void setCounts(int iteration, int epoch) {
        graph.getConfiguration().setIterationCount(iteration);
        graph.getConfiguration().setEpochCount(epoch);
    }

    /**
     * Trains on one chunk. It starts from the carried state and carries the chunk's last state to the next call.
     *
     * @param dropoutSeed seed of the dropout masks of this step
     * @return Deeplearning4j's score of the chunk before the update
     */
    public double train(MultiDataSet chunk, long dropoutSeed) {
        return Natives.withThreads(1, () -> {
            Nd4j.getRandom().setSeed(dropoutSeed);
            graph.fit(chunk);
            return graph.score();
        });
    }

    /** @return whether the network has recurrent layers */
    public boolean carriesState() {
        return !recurrent.isEmpty();
    }

    /** @return the number of lanes of a state; 0 for the zero state */
    public long lanes(RecurrentState state) {
        return state.arrays().length == 0
                ? 0
                : state.arrays()[0].length
                        / hidden(recurrent.values().iterator().next());
    }

    @Override
    public RecurrentState state() {
        List<float[]> arrays = new ArrayList<>();
        for (RecurrentLayer layer : recurrent.values()) {
            Map<String, INDArray> state = layer.rnnGetTBPTTState();
            STATE_KEYS.stream()
                    .filter(state::containsKey)
                    .forEach(key -> arrays.add(state.get(key).dup('c').data().asFloat()));
        }
        return new RecurrentState(arrays.toArray(float[][]::new));
    }

    @Override
    public void setState(RecurrentState state) {
        Iterator<float[]> arrays = List.of(state.arrays()).iterator();
        for (BaseRecurrentLayer<?> layer : recurrent.values()) {
            layer.rnnClearPreviousState();
            if (arrays.hasNext()) {
                Map<String, INDArray> layerState = new HashMap<>();
                for (String key : layer.layerConf() instanceof SimpleRnn ? STATE_KEYS.subList(0, 1) : STATE_KEYS) {
                    layerState.put(key, Nd4j.createFromArray(arrays.next()).reshape('c', -1, hidden(layer)));
                }
                layer.rnnSetTBPTTState(layerState);
            }
        }
    }

    private static long hidden(BaseRecurrentLayer<?> layer) {
        return layer.layerConf().getNOut();
    }

    @Override
    public void close() {
        for (Layer layer : recurrent.values()) {
            if (layer instanceof OneDnnLayer oneDnnLayer) {
                oneDnnLayer.close();
            }
        }
        kernelMemory.close();
        graph.close();
    }
}
