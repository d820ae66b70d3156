package io.unroll.text;

import java.io.Serializable;
import java.util.Map;

/**
 * A row of a table.
 *
 * @param number of the row's first line in a text file, from 1; in a Parquet file the row's own, from 0
 * @param values by what they mean to the task, such as {@code text} and {@code label}; null where the row has none
 * @param problem why nothing can be said of its values; null where there is none
 */
public record Row(String file, long number, Map<String, String> values, String problem) implements Serializable {
    /** Of a value: a network takes a step for each token, and keeps what it has computed in all of them. */
    public static final int MAX_CHARACTERS = 1 << 20;

    public Row(String file, long number, Map<String, String> values) {
        this(file, number, values, null);
    }

    /** @throws MalformedRowException where the row has no such value */
    public String value(String meaning) {
        if (problem != null) {
            throw new MalformedRowException(problem);
        }
        String value = values.get(meaning);
        if (value == null) {
            throw new MalformedRowException("the row has no " + meaning);
        }
        if (value.length() > MAX_CHARACTERS) {
            throw new MalformedRowException("its " + meaning + " has " + value.length() + " characters; the maximum is "
                    + MAX_CHARACTERS + ": shorten it, or split it into several rows");
        }
        if (value.indexOf('\uFFFD') >= 0) {
            throw new MalformedRowException("its " + meaning + " holds bytes that are no UTF-8 text, or U+FFFD itself");
        }
        if (value.indexOf('\0') >= 0) {
            throw new MalformedRowException("its " + meaning + " holds a NUL byte, which no text does");
        }
        return value;
    }
}
