package io.unroll.text;

import java.io.Serializable;
import java.util.Map;

/**
 * A row of a table.
 *
 * @param number in a text file, the row's first line, from 1; in a Parquet file, the index of the row, from 0
 * @param values the values by field, such as {@code text} or {@code label}; null for a missing value
 * @param problem why the row cannot be parsed; null if it can
 */
public record Row(String file, long number, Map<String, String> values, String problem) implements Serializable {
    /** Maximum length of a value: training needs memory for every token of it. */
    public static final int MAX_CHARACTERS = 1 << 20;

    public Row(String file, long number, Map<String, String> values) {
        this(file, number, values, null);
    }

    /** @throws MalformedRowException if the row has no usable value for the field */
    public String value(String field) {
        if (problem != null) {
            throw new MalformedRowException(problem);
        }
        String value = values.get(field);
        if (value == null) {
            throw new MalformedRowException("the row has no " + field);
        }
        if (value.length() > MAX_CHARACTERS) {
            throw new MalformedRowException("its " + field + " has " + value.length() + " characters; the maximum is "
                    + MAX_CHARACTERS + ": shorten it, or split it into several rows");
        }
        if (value.indexOf('\uFFFD') >= 0) {
            throw new MalformedRowException(
                    "its " + field + " contains bytes that are not valid UTF-8, or the replacement character U+FFFD");
        }
        if (value.indexOf('\0') >= 0) {
            throw new MalformedRowException("its " + field + " contains a NUL byte");
        }
        return value;
    }
}
