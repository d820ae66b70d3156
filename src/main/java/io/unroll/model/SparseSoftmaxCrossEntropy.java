package io.unroll.model;

import io.unroll.chunk.Batch;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Softmax with cross-entropy against token ids, {@code [rows, 1]}; rows of {@link Batch#IGNORED} do not count. The
 * gradient is that of the mean over the counted rows.
 */
final class SparseSoftmaxCrossEntropy implements ILossFunction {
    private transient Loss last = Loss.NONE;

    /** @return the loss of the batch whose gradient was computed last */
    Loss last() {
        return last;
    }

    /** @param logits {@code [rows, vocabulary]} */
    static Loss loss(INDArray logits, int[] targets) {
        return new Rows(logits, targets).loss();
    }

    @Override
    public INDArray computeGradient(INDArray labels, INDArray preOutput, IActivation softmax, INDArray mask) {
        Rows rows = new Rows(preOutput, labels.dup().data().asInt());
        INDArray gradient = rows.gradient();
        last = rows.loss();
        return gradient;
    }

    @Override
    public double computeScore(INDArray labels, INDArray preOutput, IActivation softmax, INDArray mask, boolean mean) {
        return mean ? last.mean() : last.sum();
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
            INDArray labels, INDArray preOutput, IActivation softmax, INDArray mask, boolean mean) {
        INDArray gradient = computeGradient(labels, preOutput, softmax, mask);
        return Pair.of(mean ? last.mean() : last.sum(), gradient);
    }

    @Override
    public INDArray computeScoreArray(INDArray labels, INDArray preOutput, IActivation softmax, INDArray mask) {
        throw new UnsupportedOperationException("scores of single rows");
    }

    @Override
    public String name() {
        return "sparse softmax cross-entropy";
    }

    /** Log-probabilities of all rows, {@code [rows, vocabulary]}, and the target of each row. */
    private static final class Rows {
        private final float[] logits;
        private final int[] targets;
        private final int vocabulary;
        private final Loss loss;

        Rows(INDArray logits, int[] targets) {
            this.logits = logits.dup('c').data().asFloat();
            this.targets = targets;
            this.vocabulary = (int) logits.size(1);
            double sum = 0;
            long counted = 0;
            for (int row = 0; row < targets.length; row++) {
                double norm = logSumExp(row * vocabulary);
                if (targets[row] != Batch.IGNORED) {
                    sum += norm - this.logits[row * vocabulary + targets[row]];
                    counted++;
                }
                for (int i = row * vocabulary; i < (row + 1) * vocabulary; i++) {
                    this.logits[i] -= (float) norm;
                }
            }
            this.loss = new Loss(sum, counted);
        }

        private double logSumExp(int from) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = from; i < from + vocabulary; i++) {
                largest = Math.max(largest, logits[i]);
            }
            double sum = 0;
            for (int i = from; i < from + vocabulary; i++) {
                sum += Math.exp(logits[i] - largest);
            }
            return largest + Math.log(sum);
        }

        Loss loss() {
            return loss;
        }

        /** Takes the place of the log-probabilities. */
        INDArray gradient() {
            for (int row = 0; row < targets.length; row++) {
                int from = row * vocabulary;
                double weight = targets[row] == Batch.IGNORED ? 0 : 1.0 / loss.tokens();
                for (int i = from; i < from + vocabulary; i++) {
                    logits[i] = (float) (Math.exp(logits[i]) * weight);
                }
                if (weight > 0) {
                    logits[from + targets[row]] -= (float) weight;
                }
            }
            return Nd4j.createFromArray(logits).reshape('c', targets.length, vocabulary);
        }
    }
}
