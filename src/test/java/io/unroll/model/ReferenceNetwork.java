package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import java.util.Arrays;
import java.util.stream.DoubleStream;

/** The networks' equations, one number at a time, in double precision: slow and obvious. */
final class ReferenceNetwork {
    private final Settings.Model model;
    private final int vocabulary;
    private final int outputs;
    private final NetworkShape.Pooling pooling;
    private final double[] parameters;
    private int next;
    private double[][] attended;
    private double[] attention;

    ReferenceNetwork(NetworkShape shape, double[] parameters) {
        this.model = shape.model();
        this.vocabulary = shape.vocabulary();
        this.outputs = shape.outputs();
        this.pooling = shape.pooling();
        this.parameters = parameters;
    }

    /** @param state {@code [array][lane * hidden + unit]}, in the order of {@link RecurrentState}; overwritten */
    double meanLoss(Batch batch, double[][] state) {
        double sum = 0;
        int counted = 0;
        for (int step = 0; step < batch.steps(); step++) {
            for (int lane = 0; lane < batch.lanes(); lane++) {
                int at = lane * batch.steps() + step;
                double[] hidden = hidden(batch.inputs()[at], lane, state);
                if (batch.targets()[at] != Batch.IGNORED) {
                    sum += loss(attended == null ? hidden : attend(hidden), batch.targets()[at]);
                    counted++;
                }
            }
        }
        return sum / counted;
    }

    /** @return the state of the highest layer after each token, from zero */
    double[][] states(int[] tokens) {
        double[][] state = new double[2 * model.layers()][model.hidden()];
        double[][] states = new double[tokens.length][];
        for (int step = 0; step < tokens.length; step++) {
            states[step] = hidden(tokens[step], 0, state).clone();
        }
        return states;
    }

    /** Looks at a source's states before each output; the weights are column by column. */
    ReferenceNetwork attendingTo(double[][] states, double[] weights) {
        attended = states;
        attention = weights;
        return this;
    }

    private double[] attend(double[] hidden) {
        int size = hidden.length;
        double[] exponents = new double[attended.length];
        for (int token = 0; token < attended.length; token++) {
            double score = 0;
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    score += hidden[i] * attention[j * size + i] * attended[token][j];
                }
            }
            exponents[token] = Math.exp(score);
        }
        double[] both = new double[2 * size];
        for (int token = 0; token < attended.length; token++) {
            for (int i = 0; i < size; i++) {
                both[i] += exponents[token] / Arrays.stream(exponents).sum() * attended[token][i];
            }
        }
        System.arraycopy(hidden, 0, both, size, size);
        double[] output = new double[size];
        for (int j = 0; j < size; j++) {
            for (int i = 0; i < 2 * size; i++) {
                output[j] += both[i] * attention[size * size + j * 2 * size + i];
            }
            output[j] = Math.tanh(output[j]);
        }
        return output;
    }

    /** The mean loss where each lane is an example of its own, and has one target. */
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
                    case NONE -> throw new IllegalStateException("there is no one target");
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

    /** Rows of W are tokens, those of the embedding where they are tied. */
    private double[] output(double[] x) {
        int bias = parameters.length - outputs;
        int weights = model.tied() ? 0 : bias - outputs * x.length;
        double[] logits = new double[outputs];
        for (int each = 0; each < outputs; each++) {
            logits[each] = parameters[bias + each];
            for (int i = 0; i < x.length; i++) {
                logits[each] += x[i] * parameters[weights + each * x.length + i];
            }
        }
        return logits;
    }

    /** h = f(x W + h R + b). */
    private double[] rnn(double[] x, int lane, double[] hidden) {
        double[] sums = sums(x, lane, hidden, 1);
        bias(sums);
        for (int i = 0; i < sums.length; i++) {
            sums[i] = model.activation() == Settings.Activation.RELU ? Math.max(0, sums[i]) : Math.tanh(sums[i]);
            hidden[lane * sums.length + i] = sums[i];
        }
        return sums;
    }

    /** Blocks: update gate, reset gate, candidate; where the reset comes after, a second bias of the candidate. */
    private double[] gru(double[] x, int lane, double[] hidden) {
        int size = model.hidden();
        double[] before = Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size);
        double[] input = product(x, 3 * size);
        int recurrent = next;
        double[] fromBefore = product(before, 3 * size);
        double[] bias = Arrays.copyOfRange(parameters, next, next + (model.resetAfter() ? 4 : 3) * size);
        next += bias.length;
        double[] update = new double[size];
        double[] reset = new double[size];
        for (int i = 0; i < size; i++) {
            update[i] = sigmoid(input[i] + fromBefore[i] + bias[i]);
            reset[i] = sigmoid(input[size + i] + fromBefore[size + i] + bias[size + i]);
        }
        for (int i = 0; i < size; i++) {
            double sum = input[2 * size + i] + bias[2 * size + i];
            if (model.resetAfter()) {
                sum += reset[i] * (fromBefore[2 * size + i] + bias[3 * size + i]);
            } else {
                for (int j = 0; j < size; j++) {
                    sum += reset[j] * before[j] * parameters[recurrent + (2 * size + i) * size + j];
                }
            }
            hidden[lane * size + i] = update[i] * before[i] + (1 - update[i]) * Math.tanh(sum);
        }
        return Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size);
    }

    /** Deeplearning4j's blocks: candidate, forget, output, input gate; then peepholes to forget, output, input. */
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
            int at = lane * size + i;
            double candidate = Math.tanh(sums[i]);
            double forget = sigmoid(sums[size + i] + peepholes[i] * cell[at]);
            double input = sigmoid(sums[3 * size + i] + peepholes[2 * size + i] * cell[at]);
            cell[at] = forget * cell[at] + input * candidate;
            double output = sigmoid(sums[2 * size + i] + peepholes[size + i] * cell[at]);
            out[i] = output * Math.tanh(cell[at]);
            hidden[at] = out[i];
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

    /** x W, where W lies column by column. */
    private double[] product(double[] x, int columns) {
        double[] result = new double[columns];
        for (int column = 0; column < columns; column++) {
            for (double value : x) {
                result[column] += value * parameters[next++];
            }
        }
        return result;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
