package io.unroll.text;

import java.io.Serializable;
import java.util.Map;

/**
 * A row of a table.
 *
 * @param number of the row's first line in a text file, from 1; in a Parquet file the row's own, from 0
 * @param values by what they mean to the task, such as {@code text} and {@code label}; null where the row has none
 */
public record Row(String file, long number, Map<String, String> values) implements Serializable {
    /** @throws MalformedRowException where the row has no such value */
    public String value(String meaning) {
        String value = values.get(meaning);
        if (value == null) {
            throw new MalformedRowException("the row has no " + meaning);
        }
        if (value.indexOf('\uFFFD') >= 0) {
            throw new MalformedRowException("its " + meaning + " holds bytes that are no UTF-8 text, or U+FFFD itself");
        }
        return value;
    }
}
