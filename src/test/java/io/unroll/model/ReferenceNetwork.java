package io.unroll.model;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;

/** The networks' equations, one number at a time, in double precision: slow and obvious. */
final class ReferenceNetwork {
    private final Settings.Model model;
    private final int vocabulary;
    private final double[] parameters;
    private int next;

    ReferenceNetwork(NetworkShape shape, double[] parameters) {
        this.model = shape.model();
        this.vocabulary = shape.vocabulary();
        this.parameters = parameters;
    }

    /** @param state {@code [array][lane * hidden + unit]}, in the order of {@link RecurrentState}; overwritten */
    double meanLoss(Batch batch, double[][] state) {
        double sum = 0;
        int counted = 0;
        for (int step = 0; step < batch.steps(); step++) {
            for (int lane = 0; lane < batch.lanes(); lane++) {
                int at = lane * batch.steps() + step;
                double[] logits = logits(batch.inputs()[at], lane, state);
                if (batch.targets()[at] != Batch.IGNORED) {
                    double norm = 0;
                    for (double logit : logits) {
                        norm += Math.exp(logit);
                    }
                    sum += Math.log(norm) - logits[batch.targets()[at]];
                    counted++;
                }
            }
        }
        return sum / counted;
    }

    private double[] logits(int token, int lane, double[][] state) {
        next = 0;
        double[] x = new double[model.embedding()];
        for (int i = 0; i < x.length; i++) {
            x[i] = parameters[i * vocabulary + token];
        }
        next = vocabulary * x.length;
        int arrays = model.cell() == Settings.Cell.LSTM ? 2 : 1;
        for (int layer = 0; layer < model.layers(); layer++) {
            x = arrays == 2 ? lstm(x, lane, state[2 * layer], state[2 * layer + 1]) : rnn(x, lane, state[layer]);
        }
        return product(x, vocabulary, true, null);
    }

    /** h = tanh(x W + h R + b). */
    private double[] rnn(double[] x, int lane, double[] hidden) {
        double[] sums = sums(x, lane, hidden, 1);
        for (int i = 0; i < sums.length; i++) {
            sums[i] = Math.tanh(sums[i]);
            hidden[lane * sums.length + i] = sums[i];
        }
        return sums;
    }

    /** Deeplearning4j's blocks: candidate, forget, output, input gate. */
    private double[] lstm(double[] x, int lane, double[] hidden, double[] cell) {
        int size = model.hidden();
        double[] sums = sums(x, lane, hidden, 4);
        double[] out = new double[size];
        for (int i = 0; i < size; i++) {
            double candidate = Math.tanh(sums[i]);
            double forget = sigmoid(sums[size + i]);
            double output = sigmoid(sums[2 * size + i]);
            double input = sigmoid(sums[3 * size + i]);
            int at = lane * size + i;
            cell[at] = forget * cell[at] + input * candidate;
            out[i] = output * Math.tanh(cell[at]);
            hidden[at] = out[i];
        }
        return out;
    }

    private double[] sums(double[] x, int lane, double[] hidden, int blocks) {
        int size = model.hidden();
        double[] before = java.util.Arrays.copyOfRange(hidden, lane * size, (lane + 1) * size);
        double[] sums = product(x, blocks * size, false, null);
        return product(before, blocks * size, true, sums);
    }

    /** Adds x W, and b where there is one; W lies column by column. */
    private double[] product(double[] x, int columns, boolean bias, double[] sums) {
        double[] result = sums == null ? new double[columns] : sums;
        for (int column = 0; column < columns; column++) {
            for (double value : x) {
                result[column] += value * parameters[next++];
            }
        }
        for (int column = 0; bias && column < columns; column++) {
            result[column] += parameters[next++];
        }
        return result;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
