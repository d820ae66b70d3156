package io.unroll.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.recurrent.RNN;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import io.unroll.bench.Case;
import io.unroll.bench.Peer;
import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** PyTorch's C++ library through DJL: its embedding, recurrent layers, softmax cross-entropy and Adam. */
public final class Libtorch implements Peer {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.999f;
    private static final float EPSILON = 1e-8f;

    @Override
    public String name() {
        return "libtorch";
    }

    @Override
    public boolean supports(Case network) {
        return network.precision() == Settings.Precision.FLOAT32;
    }

    @Override
    public Step open(Case network, int[][] tokens) {
        NDManager manager = Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
        JniUtils.setNumThreads(network.threads()); // of the calling thread
        return new Training(network, tokens, manager);
    }

    private static final class Training implements Step {
        private final Case network;
        private final NDManager manager;
        private final List<NDArray> parameters = new ArrayList<>();
        private final List<NDArray> means = new ArrayList<>();
        private final List<NDArray> variances = new ArrayList<>();
        private final NDArray embedding;
        private final NDList recurrentParameters = new NDList();
        private final NDArray weights;
        private final NDArray bias;
        private final NDArray inputs;
        private final NDArray targets;
        private int iteration;

        Training(Case network, int[][] tokens, NDManager manager) {
            this.network = network;
            this.manager = manager;
            int size = network.hidden();
            int gates =
                    switch (network.cell()) {
                        case RNN -> 1;
                        case GRU -> 3;
                        case LSTM -> 4;
                    };
            embedding = parameter(Case.VOCABULARY, size);
            for (int i = 0; i < Case.LAYERS; i++) {
                recurrentParameters.add(parameter((long) gates * size, size));
                recurrentParameters.add(parameter((long) gates * size, size));
                recurrentParameters.add(parameter((long) gates * size));
                recurrentParameters.add(parameter((long) gates * size));
            }
            weights = parameter(Case.VOCABULARY, size);
            bias = parameter(Case.VOCABULARY);
            inputs = timeMajor(tokens, 0);
            targets = timeMajor(tokens, 1).reshape(-1, 1);
        }

        private NDArray parameter(long... shape) {
            float deviation = (float) (1 / Math.sqrt(network.hidden()));
            NDArray parameter = manager.randomNormal(0, deviation, new Shape(shape), DataType.FLOAT32);
            parameter.setRequiresGradient(true);
            parameters.add(parameter);
            means.add(manager.zeros(new Shape(shape)));
            variances.add(manager.zeros(new Shape(shape)));
            return parameter;
        }

        private NDArray timeMajor(int[][] tokens, int offset) {
            long[] flat = new long[Case.STEPS * Case.LANES];
            Arrays.setAll(flat, i -> tokens[i % Case.LANES][i / Case.LANES + offset]);
            return manager.create(flat, new Shape(Case.STEPS, Case.LANES));
        }

        @Override
        public void run() {
            try (NDManager step = manager.newSubManager()) {
                inputs.tempAttach(step);
                try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                    collector.backward(loss(step));
                }
                update(step);
                inputs.attach(manager);
            }
        }

        private NDArray loss(NDManager step) {
            NDArray embedded = inputs.getNDArrayInternal()
                    .embedding(inputs, embedding, SparseFormat.DENSE)
                    .singletonOrThrow();
            NDArray hidden = layers(embedded, step).reshape(-1, network.hidden());
            NDArray logits = hidden.matMul(weights.transpose()).add(bias);
            return logits.logSoftmax(1).gather(targets, 1).neg().mean();
        }

        private NDArray layers(NDArray x, NDManager step) {
            NDArray state = step.zeros(new Shape(Case.LAYERS, Case.LANES, network.hidden()));
            var operations = x.getNDArrayInternal();
            return switch (network.cell()) {
                case LSTM -> operations
                        .lstm(
                                x,
                                new NDList(state, state),
                                recurrentParameters,
                                true,
                                Case.LAYERS,
                                0,
                                true,
                                false,
                                false)
                        .get(0);
                case GRU -> operations
                        .gru(x, state, recurrentParameters, true, Case.LAYERS, 0, true, false, false)
                        .get(0);
                case RNN -> operations
                        .rnn(
                                x,
                                state,
                                recurrentParameters,
                                true,
                                Case.LAYERS,
                                RNN.Activation.TANH,
                                0,
                                true,
                                false,
                                false)
                        .get(0);
            };
        }

        private void update(NDManager step) {
            double sumOfSquares = 0;
            List<NDArray> gradients = new ArrayList<>();
            for (NDArray parameter : parameters) {
                NDArray gradient = parameter.getGradient();
                gradient.attach(step);
                gradients.add(gradient);
                double norm = gradient.norm().getFloat();
                sumOfSquares += norm * norm;
            }
            double norm = Math.sqrt(sumOfSquares);
            iteration++;
            double correction = Math.sqrt(1 - Math.pow(BETA2, iteration)) / (1 - Math.pow(BETA1, iteration));
            for (int i = 0; i < parameters.size(); i++) {
                if (norm > Case.CLIP_NORM) {
                    gradients.get(i).muli(Case.CLIP_NORM / norm);
                }
                NDList inputs = new NDList(parameters.get(i), gradients.get(i), means.get(i), variances.get(i));
                parameters
                        .get(i)
                        .getNDArrayInternal()
                        .adamUpdate(
                                inputs,
                                new NDList(parameters.get(i)),
                                (float) (Case.LEARNING_RATE * correction),
                                (float) (Case.LEARNING_RATE * correction),
                                0,
                                1,
                                0,
                                BETA1,
                                BETA2,
                                EPSILON,
                                true,
                                false);
            }
        }

        @Override
        public void close() {
            manager.close();
        }
    }
}
