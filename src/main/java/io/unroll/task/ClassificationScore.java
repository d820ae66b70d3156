package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Accuracy, macro-averaged F1 and the confusion matrix.
 *
 * @param confusion number of examples, {@code [label, predicted label]}
 */
record ClassificationScore(Loss loss, long[][] confusion) implements Score {
    /** @param logits {@code [examples, labels]}, row-major */
    static ClassificationScore of(float[] logits, int[] labels) {
        int size = logits.length / labels.length;
        long[][] confusion = new long[size][size];
        double nats = 0;
        for (int i = 0; i < labels.length; i++) {
            double[] probabilities = softmax(logits, i * size, size);
            int predicted = IntStream.range(0, size)
                    .reduce((a, b) -> probabilities[b] > probabilities[a] ? b : a)
                    .orElseThrow();
            confusion[labels[i]][predicted]++;
            nats -= Math.log(probabilities[labels[i]]);
        }
        return new ClassificationScore(new Loss(nats, labels.length), confusion);
    }

    /** @return the softmax of {@code logits[from, from + size)} */
    static double[] softmax(float[] logits, int from, int size) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            max = Math.max(max, logits[from + i]);
        }
        double[] probabilities = new double[size];
        double sum = 0;
        for (int i = 0; i < size; i++) {
            probabilities[i] = Math.exp(logits[from + i] - max);
            sum += probabilities[i];
        }
        for (int i = 0; i < size; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    @Override
    public Score plus(Score other) {
        long[][] otherConfusion = ((ClassificationScore) other).confusion;
        long[][] sum = new long[confusion.length][confusion.length];
        for (int i = 0; i < sum.length; i++) {
            for (int j = 0; j < sum.length; j++) {
                sum[i][j] = confusion[i][j] + otherConfusion[i][j];
            }
        }
        return new ClassificationScore(loss.plus(other.loss()), sum);
    }

    @Override
    public Map<String, Object> metrics(Vocabularies vocabularies) {
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("examples", loss.tokens());
        metrics.put("cross_entropy", loss.mean());
        metrics.put("accuracy", accuracy());
        metrics.put("macro_f1", macroF1());
        metrics.put("labels", vocabularies.of(Classification.LABELS).symbols());
        metrics.put(
                "confusion",
                Arrays.stream(confusion)
                        .map(row -> Arrays.stream(row).boxed().toList())
                        .toList());
        return metrics;
    }

    private double accuracy() {
        return (double) IntStream.range(0, confusion.length)
                        .mapToLong(i -> confusion[i][i])
                        .sum()
                / loss.tokens();
    }

    /** @return the mean F1 of the labels that occur or are predicted */
    private double macroF1() {
        return IntStream.range(0, confusion.length)
                .filter(label -> examplesOf(label) + predictionsOf(label) > 0)
                .mapToDouble(label -> 2.0 * confusion[label][label] / (examplesOf(label) + predictionsOf(label)))
                .average()
                .orElse(Double.NaN);
    }

    private long examplesOf(int label) {
        return LongStream.of(confusion[label]).sum();
    }

    private long predictionsOf(int label) {
        return Arrays.stream(confusion).mapToLong(row -> row[label]).sum();
    }
}
