package io.unroll.model;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.params.SimpleRnnParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Deeplearning4j's tanh {@link SimpleRnn} with a backward pass that knows the carried state: the stock one
 * (1.0.0-M2.1) computes every chunk's gradient as if its first state were zero.
 */
final class CarryingRnn extends SimpleRnn {
    private CarryingRnn(Builder builder) {
        super(builder);
    }

    @SuppressWarnings("unchecked")
    static final class Builder extends SimpleRnn.Builder {
        @Override
        public CarryingRnn build() {
            return new CarryingRnn(this);
        }
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

    private static final class Implementation extends org.deeplearning4j.nn.layers.recurrent.SimpleRnn {
        Implementation(NeuralNetConfiguration conf, DataType type) {
            super(conf, type);
        }

        /** Starts from the state that {@link #rnnSetPreviousState} was given. */
        @Override
        public Pair<Gradient, INDArray> tbpttBackpropGradient(
                INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
            INDArray weights = getParam(SimpleRnnParamInitializer.WEIGHT_KEY);
            INDArray recurrent = getParam(SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY);
            INDArray dWeights = gradientViews.get(SimpleRnnParamInitializer.WEIGHT_KEY);
            INDArray dRecurrent = gradientViews.get(SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY);
            INDArray dBias = gradientViews.get(SimpleRnnParamInitializer.BIAS_KEY);
            gradientsFlattened.assign(0);

            INDArray initial = stateMap.get(STATE_KEY_PREV_ACTIVATION);
            INDArray[] hidden = hidden(initial, weights, recurrent);
            INDArray dInput =
                    workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, input.dataType(), input.shape(), 'f');
            INDArray dNext = null;
            for (int t = hidden.length - 1; t >= 0; t--) {
                INDArray dHidden = step(epsilon, t).dup('f');
                if (dNext != null) {
                    Nd4j.gemm(dNext, recurrent, dHidden, false, true, 1, 1);
                }
                INDArray dSum = dHidden.muli(hidden[t].mul(hidden[t]).rsubi(1));
                Nd4j.gemm(step(input, t).dup('f'), dSum, dWeights, true, false, 1, 1);
                INDArray before = t > 0 ? hidden[t - 1] : initial;
                if (before != null) {
                    Nd4j.gemm(before, dSum, dRecurrent, true, false, 1, 1);
                }
                dBias.addi(dSum.sum(0));
                step(dInput, t).assign(dSum.mmul(weights.transpose()));
                dNext = dSum;
            }
            return new Pair<>(gradient(dWeights, dRecurrent, dBias), backpropDropOutIfPresent(dInput));
        }

        private Gradient gradient(INDArray dWeights, INDArray dRecurrent, INDArray dBias) {
            Gradient gradient = new DefaultGradient(gradientsFlattened);
            gradient.gradientForVariable().put(SimpleRnnParamInitializer.WEIGHT_KEY, dWeights);
            gradient.gradientForVariable().put(SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY, dRecurrent);
            gradient.gradientForVariable().put(SimpleRnnParamInitializer.BIAS_KEY, dBias);
            return gradient;
        }

        private INDArray[] hidden(INDArray initial, INDArray weights, INDArray recurrent) {
            INDArray bias = getParam(SimpleRnnParamInitializer.BIAS_KEY);
            INDArray[] hidden = new INDArray[(int) input.size(2)];
            INDArray previous = initial;
            for (int t = 0; t < hidden.length; t++) {
                INDArray sum = step(input, t).mmul(weights).addiRowVector(bias);
                if (previous != null) {
                    sum.addi(previous.mmul(recurrent));
                }
                hidden[t] = Nd4j.math().tanh(sum);
                previous = hidden[t];
            }
            return hidden;
        }

        private static INDArray step(INDArray array, int t) {
            return array.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(t));
        }
    }
}
