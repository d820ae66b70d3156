package io.unroll.spark;

import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.task.Examples;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import java.io.Serializable;
import java.util.Locale;

/** Assigns each row to training, validation or test. */
interface HoldOut extends Serializable {
    /** Holds nothing out. */
    HoldOut ALL_TRAINING = row -> Section.TRAINING;

    /** By the value of a column, the field {@link RowSource#SPLIT}. */
    HoldOut BY_COLUMN = row -> {
        String value = row.value(RowSource.SPLIT);
        return switch (value.strip().toLowerCase(Locale.ROOT)) {
            case "train", "training" -> Section.TRAINING;
            case "valid", "validation", "dev" -> Section.VALIDATION;
            case "test" -> Section.TEST;
            default -> throw new MalformedRowException(
                    "its part is unknown",
                    "its part, " + value + " (corpus.split-by), is not training, validation or test");
        };
    };

    Section section(Row row);

    /** By the group of the row. */
    static HoldOut byGroup(Examples examples, StratifiedGroupSplit split) {
        return row -> split.section(examples.stratum(row), RowHash.of(examples.group(row)));
    }

    /**
     * By the order of the rows: the last ones are the test, those before are the validation.
     *
     * @param validationFrom first order key of the validation; null if the validation is empty
     * @param testFrom first order key of the test; null if it is empty
     */
    static HoldOut byOrder(String validationFrom, String testFrom) {
        return row -> {
            String key = OrderKeys.key(row.value(RowSource.ORDER));
            if (testFrom != null && key.compareTo(testFrom) >= 0) {
                return Section.TEST;
            }
            return validationFrom != null && key.compareTo(validationFrom) >= 0 ? Section.VALIDATION : Section.TRAINING;
        };
    }
}
