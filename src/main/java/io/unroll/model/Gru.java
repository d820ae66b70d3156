package io.unroll.model;

import io.unroll.kernel.CellType;
import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Configuration of a GRU layer, because Deeplearning4j has none. A saved network with it loads if Unroll's jar is on
 * the class path. The parameters are {@code W [inputs, 3 hidden]} and {@code RW [hidden, 3 hidden]}, column by column
 * in blocks of update gate, reset gate and candidate, and {@code b [3 hidden]}, or {@code [4 hidden]} with
 * {@link Builder#resetAfter}.
 *
 * @see io.unroll.kernel.CellType#GRU
 * @see io.unroll.kernel.CellType#GRU_RESET_AFTER
 */
public final class Gru extends BaseRecurrentLayer {
    @JsonProperty
    private boolean resetAfter;

    /** For Deeplearning4j's JSON parser. */
    private Gru() {
        this(new Builder());
    }

    private Gru(Builder builder) {
        super(builder);
        this.resetAfter = builder.resetAfter;
    }

    CellType cell() {
        return resetAfter ? CellType.GRU_RESET_AFTER : CellType.GRU;
    }

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> listeners,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        OneDnnLayer layer = new OneDnnLayer(conf);
        layer.setListeners(listeners);
        layer.setIndex(index);
        layer.setParamsViewArray(parameters);
        Map<String, INDArray> table = initializer().init(conf, parameters, initialize);
        layer.setParamTable(table);
        return layer;
    }

    @Override
    public ParamInitializer initializer() {
        return GruParamInitializer.INSTANCE;
    }

    @Override
    public LayerMemoryReport getMemoryReport(InputType input) {
        throw new UnsupportedOperationException("a GRU layer has no memory report");
    }

    public static final class Builder extends BaseRecurrentLayer.Builder<Builder> {
        private boolean resetAfter;

        /** Applies the reset gate after the product with the recurrent weights, as cuDNN and PyTorch do. */
        public Builder resetAfter() {
            resetAfter = true;
            return this;
        }

        @Override
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        public <E extends org.deeplearning4j.nn.conf.layers.Layer> E build() {
            return (E) new Gru(this);
        }
    }
}
