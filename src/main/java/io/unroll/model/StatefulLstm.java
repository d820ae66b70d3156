package io.unroll.model;

import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Deeplearning4j's LSTM, but each forward pass in training starts from the last state of the previous one, and the
 * backward pass takes that state into account. For activations that oneDNN does not support. The carried state is
 * Deeplearning4j's TBPTT state.
 */
final class StatefulLstm extends LSTM {
    private static final int ENTIRE_CHUNK = Integer.MAX_VALUE;

    StatefulLstm(NeuralNetConfiguration conf) {
        super(conf, DataType.FLOAT);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaces) {
        return training ? carry(input, workspaces) : super.activate(input, false, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        return training ? carry(input, workspaces) : super.activate(false, workspaces);
    }

    private INDArray carry(INDArray input, LayerWorkspaceMgr workspaces) {
        Map<String, INDArray> initialState = rnnGetTBPTTState();
        rnnSetPreviousState(initialState);
        return rnnActivateUsingStoredState(input, true, true, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        return tbpttBackpropGradient(epsilon, ENTIRE_CHUNK, workspaces);
    }
}
