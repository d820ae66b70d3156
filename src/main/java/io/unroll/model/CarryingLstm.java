package io.unroll.model;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Deeplearning4j's {@link LSTM} with a backward pass that starts from the carried state. The stock network
 * (1.0.0-M2.1) carries it in the forward pass alone, and runs each chunk again from zero for its gradient.
 */
final class CarryingLstm extends LSTM {
    /** Takes over what the builder of the stock layer, which cannot be extended, was told. */
    CarryingLstm(LSTM stock) {
        setNIn(stock.getNIn());
        setNOut(stock.getNOut());
        setActivationFn(stock.getActivationFn());
        setGateActivationFn(stock.getGateActivationFn());
        setForgetGateBiasInit(stock.getForgetGateBiasInit());
        setIDropout(stock.getIDropout());
    }

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> listeners,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        return CustomLayers.ready(
                new Implementation(conf, type),
                initializer().init(conf, parameters, initialize),
                listeners,
                index,
                parameters);
    }

    private static final class Implementation extends org.deeplearning4j.nn.layers.recurrent.LSTM {
        Implementation(NeuralNetConfiguration conf, DataType type) {
            super(conf, type);
        }

        /** Starts from the state that {@link #rnnSetPreviousState} was given. */
        @Override
        public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
            return tbpttBackpropGradient(epsilon, Integer.MAX_VALUE, workspaces);
        }
    }
}
