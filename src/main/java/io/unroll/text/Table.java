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

/** The rows of a file with columns, whose names or numbers say where the wanted values are. */
final class Table {
    private final String file;
    private final Settings.Format format;
    private final boolean header;
    private final Map<String, String> wanted;
    private final Consumer<Row> rows;
    /** Of each meaning, which column, from 0; null before the first row. */
    private Map<String, Integer> places;
    /** As many as have a name, or as the first usable row has, or the widest where none is usable. */
    private int columns;
    /** The last row that no column could be found in. */
    private List<String> unusable = List.of();

    /** @param wanted of each meaning, the column's name or number */
    Table(String file, Settings.Format format, boolean header, Map<String, String> wanted, Consumer<Row> rows) {
        this.file = file;
        this.format = format;
        this.header = header;
        this.wanted = wanted;
        this.rows = rows;
    }

    /** @return of each meaning, which column, from 0 */
    Map<String, Integer> name(List<String> names) {
        places = places(meaning -> place(meaning, names));
        columns = names.size();
        return places;
    }

    void add(long number, String[] values) {
        if (places == null && header) {
            name(Arrays.asList(values));
            return;
        }
        if (places == null) {
            places = places(this::number);
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

    /** Adds a row of which nothing is known but why it cannot be used. */
    void addMalformed(long number, String problem) {
        if (places == null && header) {
            throw new ConfigurationException(file + " has no usable header row: " + problem + ".");
        }
        rows.accept(new Row(file, number, Map.of(), problem));
    }

    private Row row(long number, String[] values) {
        Map<String, String> found = new HashMap<>();
        places.forEach((meaning, place) -> found.put(meaning, place < values.length ? values[place] : null));
        boolean more = Arrays.stream(values).skip(columns).anyMatch(StringUtils::isNotEmpty);
        return new Row(file, number, found, more ? tooMany(values.length) : null);
    }

    private String tooMany(int number) {
        return "it has " + number + " columns, and the file's first " + (header ? "" : "usable ") + "row " + columns
                + (format == Settings.Format.TSV
                        ? ": in TSV, a value cannot contain a tab"
                        : ": in CSV, quote a value that contains a comma");
    }

    /** @return which column a row of that size lacks; null for none */
    private String missing(int size) {
        for (Map.Entry<String, Integer> place : places.entrySet()) {
            if (place.getValue() >= size) {
                return "column " + (place.getValue() + 1) + " (corpus.columns." + place.getKey()
                        + ", where corpus.header is false)";
            }
        }
        return null;
    }

    void end() {
        String missing = places == null ? null : missing(columns);
        if (missing != null) {
            throw new ConfigurationException("no row of " + file + " has a " + missing + "." + hint(unusable));
        }
    }

    private Map<String, Integer> places(ToIntFunction<String> place) {
        return wanted.keySet().stream().collect(Collectors.toMap(Function.identity(), place::applyAsInt));
    }

    private int place(String meaning, List<String> names) {
        int place = names.indexOf(wanted.get(meaning));
        if (place < 0) {
            String shown = names.stream().map(Table::shown).collect(Collectors.joining(", "));
            throw new ConfigurationException(file + " has no column " + wanted.get(meaning) + " (corpus.columns."
                    + meaning + "); its columns are " + StringUtils.abbreviate(shown, 200) + "." + hint(names));
        }
        return place;
    }

    private static String shown(String name) {
        return StringUtils.abbreviate(name.replaceAll("\\p{Cntrl}+", " "), 60);
    }

    /** Why the columns of a file are not those that its author knows. */
    private String hint(List<String> row) {
        if (format == Settings.Format.PARQUET) {
            return "";
        }
        String separator = format == Settings.Format.TSV ? "\t" : ",";
        for (String other : List.of(";", "\t", ",", "|")) {
            if (row.size() == 1 && !other.equals(separator) && row.get(0).contains(other)) {
                String way = other.equals("\t") ? "tsv" : other.equals(",") ? "csv" : "";
                return " Its values seem to be separated by " + (other.equals("\t") ? "tabs" : "\"" + other + "\"")
                        + (way.isEmpty()
                                ? ", and only commas (csv) and tabs (tsv) are read: convert it."
                                : ": then give corpus.format = " + way + ".");
            }
        }
        return header
                ? " If the file has no header row, set corpus.header = false and column numbers in corpus.columns."
                : "";
    }

    private int number(String meaning) {
        String column = wanted.get(meaning);
        if (!column.matches("[1-9]\\d{0,4}")) {
            throw new ConfigurationException("corpus.columns." + meaning + " is " + column
                    + "; it must be a column's number, from 1, since corpus.header is false.");
        }
        return Integer.parseInt(column) - 1;
    }
}
