package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.task.Examples;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.math.NumberUtils;

/**
 * Weights of rows in the loss.
 *
 * @param ofStratum weights by label; others are 1
 */
record RowWeights(Map<String, Double> ofStratum) implements Serializable {
    static final RowWeights EQUAL = new RowWeights(Map.of());

    /**
     * @param labels of the model
     * @param rows number of training rows by label
     * @throws ConfigurationException if the settings have another label
     */
    static RowWeights of(Settings.Corpus corpus, List<String> labels, Map<String, Long> rows) {
        Map<String, Double> weights = new HashMap<>(corpus.classWeights());
        for (String label : weights.keySet()) {
            if (!labels.contains(label)) {
                throw new ConfigurationException("corpus.class-weights has the label " + label
                        + ", which no row of the training part has; the labels are " + String.join(", ", labels) + ".");
            }
        }
        if (corpus.balanceClasses()) {
            double all = rows.values().stream().mapToLong(Long::longValue).sum();
            rows.forEach(
                    (label, count) -> weights.merge(label, all / rows.size() / count, (set, balance) -> set * balance));
        }
        return new RowWeights(weights);
    }

    float of(Row row, Examples examples) {
        return (float) (of(row) * ofStratum.getOrDefault(examples.stratum(row), 1.0));
    }

    /**
     * @return the value of the column of weights; 1 without such a column
     * @throws MalformedRowException if the value is not a number from 0 to 1e9
     */
    static double of(Row row) {
        if (!row.values().containsKey(RowSource.WEIGHT)) {
            return 1;
        }
        String value = row.value(RowSource.WEIGHT).strip();
        double weight = value.matches("[-+.\\deE]+") ? NumberUtils.toDouble(value, Double.NaN) : Double.NaN;
        if (!(weight >= 0 && weight <= Settings.Corpus.MAX_WEIGHT)) {
            throw new MalformedRowException(
                    "its weight is not a number from 0 to 1e9",
                    "its weight, " + value + ", is not a number from 0 to 1e9");
        }
        return weight;
    }
}
