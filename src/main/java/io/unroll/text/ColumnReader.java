package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;

/** Converts the records of a CSV, TSV or Parquet file to rows, selecting columns by name or number. */
final class ColumnReader {
    private final String file;
    private final Settings.Format format;
    private final boolean header;
    private final Map<String, String> columnOfField;
    private final Consumer<Row> rows;
    /** Column index of each field, from 0; null before the first row. */
    private Map<String, Integer> indices;
    /** Number of columns of the header, else of the first usable row, else of the widest row. */
    private int columns;
    /** The last row with a missing column. */
    private List<String> unusable = List.of();

    /** @param columnOfField name or number of the column of each field */
    ColumnReader(
            String file,
            Settings.Format format,
            boolean header,
            Map<String, String> columnOfField,
            Consumer<Row> rows) {
        this.file = file;
        this.format = format;
        this.header = header;
        this.columnOfField = columnOfField;
        this.rows = rows;
    }

    /** @return the column index of each field */
    Map<String, Integer> setHeader(List<String> names) {
        indices = indices(field -> index(field, names));
        columns = names.size();
        return indices;
    }

    void add(long number, String[] values) {
        if (indices == null && header) {
            setHeader(Arrays.asList(values));
            return;
        }
        if (indices == null) {
            indices = indices(this::number);
        }
        String missing = null;
        if (missing(columns) != null) {
            columns = Math.max(columns, values.length);
            missing = missing(values.length);
        }
        if (missing == null) {
            rows.accept(row(number, values));
        } else {
            unusable = Arrays.asList(values);
            rows.accept(new Row(file, number, Map.of(), "it has no " + missing));
        }
    }

    /** Adds a row that cannot be parsed. */
    void addMalformed(long number, String problem) {
        if (indices == null && header) {
            throw new ConfigurationException(file + " has no usable header row: " + problem + ".");
        }
        rows.accept(new Row(file, number, Map.of(), problem));
    }

    private Row row(long number, String[] values) {
        Map<String, String> found = new HashMap<>();
        indices.forEach((field, index) -> found.put(field, index < values.length ? values[index] : null));
        boolean hasExtraValues = Arrays.stream(values).skip(columns).anyMatch(StringUtils::isNotEmpty);
        return new Row(file, number, found, hasExtraValues ? tooMany(values.length) : null);
    }

    private String tooMany(int number) {
        return "it has " + number + " columns, but the file's first " + (header ? "" : "usable ") + "row has " + columns
                + (format == Settings.Format.TSV
                        ? ": in TSV, a value cannot contain a tab"
                        : ": in CSV, quote a value that contains a comma");
    }

    /** @return the first required column that a row of this size does not have; null if it has all */
    private String missing(int size) {
        for (Map.Entry<String, Integer> index : indices.entrySet()) {
            if (index.getValue() >= size) {
                return "column " + (index.getValue() + 1) + " (corpus.columns." + index.getKey()
                        + ", with corpus.header = false)";
            }
        }
        return null;
    }

    void end() {
        String missing = indices == null ? null : missing(columns);
        if (missing != null) {
            throw new ConfigurationException("no row of " + file + " has a " + missing + "." + hint(unusable));
        }
    }

    private Map<String, Integer> indices(ToIntFunction<String> index) {
        return columnOfField.keySet().stream().collect(Collectors.toMap(Function.identity(), index::applyAsInt));
    }

    private int index(String field, List<String> names) {
        int index = names.indexOf(columnOfField.get(field));
        if (index < 0) {
            String abbreviated = names.stream().map(ColumnReader::abbreviated).collect(Collectors.joining(", "));
            throw new ConfigurationException(file + " has no column " + columnOfField.get(field) + " (corpus.columns."
                    + field + "); its columns are " + StringUtils.abbreviate(abbreviated, 200) + "." + hint(names));
        }
        return index;
    }

    private static String abbreviated(String name) {
        return StringUtils.abbreviate(name.replaceAll("\\p{Cntrl}+", " "), 60);
    }

    /** @return advice for a file whose separator or header is not as configured; may be empty */
    private String hint(List<String> row) {
        if (format == Settings.Format.PARQUET) {
            return "";
        }
        String separator = format == Settings.Format.TSV ? "\t" : ",";
        for (String other : List.of(";", "\t", ",", "|")) {
            if (row.size() == 1 && !other.equals(separator) && row.get(0).contains(other)) {
                String detected = other.equals("\t") ? "tsv" : other.equals(",") ? "csv" : "";
                return " Its values seem to be separated by " + (other.equals("\t") ? "tabs" : "\"" + other + "\"")
                        + (detected.isEmpty()
                                ? ", but only commas (csv) and tabs (tsv) are supported: convert the file."
                                : ": set corpus.format = " + detected + ".");
            }
        }
        return header
                ? " If the file has no header row, set corpus.header = false and column numbers in corpus.columns."
                : "";
    }

    private int number(String field) {
        String column = columnOfField.get(field);
        if (!column.matches("[1-9]\\d{0,4}")) {
            throw new ConfigurationException("corpus.columns." + field + " is " + column
                    + "; with corpus.header = false, it must be a column number, starting at 1.");
        }
        return Integer.parseInt(column) - 1;
    }
}
