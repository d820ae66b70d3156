package io.unroll.text;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;

/**
 * A row of a corpus.
 *
 * @param origin the file, table or query that the row is from
 * @param number the number of the row in its file, as users count; {@link #UNNUMBERED} if the format has none
 * @param values the values by field, such as {@code text} or {@code label}; null for a missing value
 * @param problem why the row cannot be parsed; null if it can
 */
public record Row(String origin, long number, Map<String, String> values, String problem) implements Serializable {
    /** Maximum length of a value: training needs memory for every token of it. */
    public static final int MAX_CHARACTERS = 1 << 20;

    public static final long UNNUMBERED = -1;
    /** Separates the rows of a document in its text: the record separator of ASCII. */
    public static final char SEPARATOR = '\u001E';

    private static final int MAX_SHOWN = 80;

    public Row(String origin, long number, Map<String, String> values) {
        this(origin, number, values, null);
    }

    public static Row malformed(String origin, long number, String problem) {
        return new Row(origin, number, Map.of(), problem);
    }

    /** @return the row, with a space for each {@link #SEPARATOR} in its text */
    public Row withoutSeparators() {
        String text = values.get("text");
        if (text == null || text.indexOf(SEPARATOR) < 0) {
            return this;
        }
        Map<String, String> changed = new LinkedHashMap<>(values);
        changed.put("text", text.replace(SEPARATOR, ' '));
        return new Row(origin, number, changed, problem);
    }

    /** @return where the row is, for messages: its origin, and its number or the start of its values */
    public String place() {
        if (number != UNNUMBERED || values.isEmpty()) {
            return place(origin, number);
        }
        String content = values.entrySet().stream()
                .map(value -> value.getKey() + " = " + value.getValue())
                .collect(Collectors.joining(", "))
                .replaceAll("\\p{Cntrl}+", " ");
        return origin + ", the row with " + StringUtils.abbreviate(content, MAX_SHOWN);
    }

    public static String place(String origin, long number) {
        return number == UNNUMBERED ? origin : origin + ", row at " + number;
    }

    /** @throws MalformedRowException if the row has no usable value for the field */
    public String value(String field) {
        if (problem != null) {
            throw new MalformedRowException(problem.replaceFirst("(?s):.*", ""), problem);
        }
        String value = values.get(field);
        if (value == null) {
            throw new MalformedRowException("the row has no " + field);
        }
        if (value.length() > MAX_CHARACTERS) {
            throw new MalformedRowException(
                    "its " + field + " is too long",
                    "its " + field + " has " + value.length() + " characters; the maximum is " + MAX_CHARACTERS
                            + ": shorten it, or split it into several rows");
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
