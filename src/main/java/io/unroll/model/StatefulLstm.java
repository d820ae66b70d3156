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
 * Deeplearning4j's LSTM with the state carried from one forward pass in training to the next, and with the gradient
 * from the state that the pass started from: for activations that oneDNN has not. The state lies in the TBPTT state.
 */
final class StatefulLstm extends LSTM {
    private static final int WHOLE_CHUNK = Integer.MAX_VALUE;

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
        Map<String, INDArray> start = rnnGetTBPTTState();
        rnnSetPreviousState(start);
        return rnnActivateUsingStoredState(input, true, true, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        return tbpttBackpropGradient(epsilon, WHOLE_CHUNK, workspaces);
    }
}
