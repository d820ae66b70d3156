package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import java.util.Arrays;
import java.util.stream.DoubleStream;

/** A slow but obvious reference: the networks' equations, number by number, in double precision. */
final class ReferenceNetwork {
    private final Settings.Model model;
    private final int vocabulary;
    private final int outputs;
    private final Settings.Pooling pooling;
    private final double[] parameters;
    private int next;
    private double[][] sourceStates;
    private double[] attentionWeights;

    ReferenceNetwork(NetworkShape shape, double[] parameters) {
        this.model = shape.model();
        this.vocabulary = shape.vocabulary();
        this.outputs = shape.outputs();
        this.pooling = shape.model().pooling();
        this.parameters = parameters;
    }

    /**
     * @param state initial state {@code [array][lane * hidden + unit]}, in the order of {@link RecurrentState};
     *     overwritten
     */
    double meanLoss(Batch batch, double[][] state) {
        double sum = 0;
        int counted = 0;
        for (int step = 0; step < batch.steps(); step++) {
            for (int lane = 0; lane < batch.lanes(); lane++) {
                int index = lane * batch.steps() + step;
                double[] hidden = hidden(batch.inputs()[index], lane, state);
                if (batch.targets()[index] != Batch.IGNORED) {
                    sum += loss(sourceStates == null ? hidden : attend(hidden), batch.targets()[index]);
                    counted++;
                }
            }
        }
        return sum / counted;
    }

    /** @return the hidden state of the highest layer after each token, starting from the zero state */
    double[][] states(int[] tokens) {
        double[][] state = new double[2 * model.layers()][model.hidden()];
        double[][] states = new double[tokens.length][];
        for (int step = 0; step < tokens.length; step++) {
            states[step] = hidden(tokens[step], 0, state).clone();
        }
        return states;
    }

    /** Adds attention to the states of a source; the weights are column-major, as in {@link AttentionShape}. */
    ReferenceNetwork attendingTo(double[][] states, double[] weights) {
        sourceStates = states;
        attentionWeights = weights;
        return this;
    }

    private double[] attend(double[] hidden) {
        int size = hidden.length;
        double[] exponents = new double[sourceStates.length];
        for (int token = 0; token < sourceStates.length; token++) {
            double score = 0;
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    score += hidden[i] * attentionWeights[j * size + i] * sourceStates[token][j];
                }
            }
            exponents[token] = Math.exp(score);
        }
        double[] contextAndHidden = new double[2 * size];
        for (int token = 0; token < sourceStates.length; token++) {
            for (int i = 0; i < size; i++) {
                contextAndHidden[i] +=
                        exponents[token] / Arrays.stream(exponents).sum() * sourceStates[token][i];
            }
        }
        System.arraycopy(hidden, 0, contextAndHidden, size, size);
        double[] output = new double[size];
        for (int j = 0; j < size; j++) {
            for (int i = 0; i < 2 * size; i++) {
                output[j] += contextAndHidden[i] * attentionWeights[size * size + j * 2 * size + i];
            }
            output[j] = Math.tanh(output[j]);
        }
        return output;
    }

    /** @return the mean loss if each lane is an example with one target */
    double meanPooledLoss(Batch batch) {
        double sum = 0;
        for (int lane = 0; lane < batch.lanes(); lane++) {
            double[][] state = new double[2 * model.layers()][model.hidden()];
            double[][] steps = new double[batch.lengths()[lane]][];
            for (int step = 0; step < steps.length; step++) {
                steps[step] = hidden(batch.inputs()[lane * batch.steps() + step], 0, state)
                        .clone();
            }
            double[] pooled = new double[model.hidden()];
            for (int i = 0; i < pooled.length; i++) {
                int feature = i;
                DoubleStream values = Arrays.stream(steps).mapToDouble(step -> step[feature]);
                pooled[i] = switch (pooling) {
                    case LAST -> steps[steps.length - 1][i];
                    case MEAN -> values.average().orElseThrow();
                    case MAX -> values.max().orElseThrow();
                };
            }
            sum += loss(pooled, batch.targets()[lane]);
        }
        return sum / batch.lanes();
    }

    private double loss(double[] hidden, int target) {
        double[] logits = output(hidden);
        return Math.log(Arrays.stream(logits).map(Math::exp).sum()) - logits[target];
    }

    private double[] hidden(int token, int lane, double[][] state) {
        next = 0;
        double[] x = new double[model.embedding()];
        System.arraycopy(parameters, token * x.length, x, 0, x.length);
        next = vocabulary * x.length;
        for (int layer = 0; layer < model.layers(); layer++) {
            x = switch (model.cell()) {
                case RNN -> rnn(x, lane, state[layer]);
                case GRU -> gru(x, lane, state[layer]);
                case LSTM -> lstm(x, lane, state[2 * layer], state[2 * layer + 1]);
            };
        }
        return x;
    }

    /** @return logits; each row of W belongs to a token, and is its embedding if the two are tied */
    private double[] output(double[] x) {
        int bias = parameters.length - outputs;
        int weights = model.tied() ? 0 : bias - outputs * x.length;
        double[] logits = new double[outputs];
        for (int output = 0; output < outputs; output++) {
            logits[output] = parameters[bias + output];
            for (int i = 0; i < x.length; i++) {
                logits[output] += x[i] * parameters[weights + output * x.length + i];
            }
        }
        return logits;
    }

    /** h' = f(W x + R h + b). */
    private double[] rnn(double[] x, int lane, double[] hidden) {
        double[] sums = sums(x, lane, hidden, 1);
        bias(sums);
        for (int i = 0; i < sums.length; i++) {
            sums[i] = model.activation() == Settings.Activation.RELU ? Math.max(0, sums[i]) : Math.tanh(sums[i]);
            hidden[lane * sums.length + i] = sums[i];
        }
        return sums;
    }

    /** Blocks: update gate, reset gate, candidate; with reset-after, also a second bias of the candidate. */
    private double[] gru(double[] x, int lane, double[] hidden) {
        int size = model.hidden();
        double[] previous = Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size);
        double[] input = product(x, 3 * size);
        int recurrent = next;
        double[] fromState = product(previous, 3 * size);
        double[] bias = Arrays.copyOfRange(parameters, next, next + (model.resetAfter() ? 4 : 3) * size);
        next += bias.length;
        double[] update = new double[size];
        double[] reset = new double[size];
        for (int i = 0; i < size; i++) {
            update[i] = sigmoid(input[i] + fromState[i] + bias[i]);
            reset[i] = sigmoid(input[size + i] + fromState[size + i] + bias[size + i]);
        }
        for (int i = 0; i < size; i++) {
            double sum = input[2 * size + i] + bias[2 * size + i];
            if (model.resetAfter()) {
                sum += reset[i] * (fromState[2 * size + i] + bias[3 * size + i]);
            } else {
                for (int j = 0; j < size; j++) {
                    sum += reset[j] * previous[j] * parameters[recurrent + (2 * size + i) * size + j];
                }
            }
            hidden[lane * size + i] = update[i] * previous[i] + (1 - update[i]) * Math.tanh(sum);
        }
        return Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size);
    }

    /** Blocks: candidate, forget, output, input gate; then the peepholes of the forget, output and input gate. */
    private double[] lstm(double[] x, int lane, double[] hidden, double[] cell) {
        int size = model.hidden();
        double[] sums = sums(x, lane, hidden, 4);
        double[] peepholes = new double[3 * size];
        if (model.peepholes()) {
            System.arraycopy(parameters, next, peepholes, 0, peepholes.length);
            next += peepholes.length;
        }
        bias(sums);
        double[] out = new double[size];
        for (int i = 0; i < size; i++) {
            int index = lane * size + i;
            double candidate = Math.tanh(sums[i]);
            double forget = sigmoid(sums[size + i] + peepholes[i] * cell[index]);
            double input = sigmoid(sums[3 * size + i] + peepholes[2 * size + i] * cell[index]);
            cell[index] = forget * cell[index] + input * candidate;
            double output = sigmoid(sums[2 * size + i] + peepholes[size + i] * cell[index]);
            out[i] = output * Math.tanh(cell[index]);
            hidden[index] = out[i];
        }
        return out;
    }

    private double[] sums(double[] x, int lane, double[] hidden, int blocks) {
        int size = model.hidden();
        double[] sums = product(x, blocks * size);
        double[] recurrent = product(Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size), blocks * size);
        for (int i = 0; i < sums.length; i++) {
            sums[i] += recurrent[i];
        }
        return sums;
    }

    private void bias(double[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += parameters[next++];
        }
    }

    /** @return W x for the row-major W that comes next in the parameters */
    private double[] product(double[] x, int rows) {
        double[] result = new double[rows];
        for (int row = 0; row < rows; row++) {
            for (double value : x) {
                result[row] += value * parameters[next++];
            }
        }
        return result;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
