package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.config.Words;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.io.IOUtils;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.Type;

/** How the rows of a table lie in files: {@code corpus.format}, {@code header} and {@code columns}. */
public final class RowFormat implements Serializable {
    private static final long serialVersionUID = 1;

    private final Settings.Format format;
    private final boolean header;
    private final Map<String, String> columns;
    private final List<String> meanings;

    /** @param meanings of the values that a row must have */
    public RowFormat(Settings.Corpus corpus, List<String> meanings) {
        this.format = corpus.format();
        this.header = corpus.header();
        this.columns = corpus.columns();
        this.meanings = List.copyOf(meanings);
    }

    /** @return what of the file's name decides its rows: how it is read, and a label */
    public String nameThatMatters(String file) {
        Settings.Format one = of(file);
        String label = one == Settings.Format.LINES ? label(file) : one == Settings.Format.FILES ? parent(file) : "";
        return Words.kebab(one) + " " + label;
    }

    private Settings.Format of(String file) {
        if (format != Settings.Format.AUTO) {
            return format;
        }
        String name = file.toLowerCase(Locale.ROOT).replaceFirst("\\.(gz|bz2|zst|snappy|lz4|deflate)$", "");
        for (Settings.Format one : List.of(Settings.Format.CSV, Settings.Format.TSV, Settings.Format.PARQUET)) {
            if (name.endsWith("." + Words.kebab(one))) {
                return one;
            }
        }
        return Settings.Format.LINES;
    }

    /** Reads the rows of a whole file in their order. */
    public void read(Slice file, Configuration hadoop, Consumer<Row> rows) throws IOException {
        String name = file.file();
        if (of(name) == Settings.Format.PARQUET) {
            if (file.length() > 0) {
                readParquet(name, hadoop, rows);
            }
            return;
        }
        try (SliceInput in = SliceInput.open(file, Slice.Boundary.BYTE, hadoop);
                BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            skipByteOrderMark(reader);
            switch (of(name)) {
                case CSV -> readCsv(name, reader, rows);
                case TSV -> readTsv(name, reader, rows);
                case FILES -> rows.accept(labelled(name, 1, IOUtils.toString(reader), parent(name)));
                default -> readLines(name, reader, rows);
            }
        }
    }

    private static void skipByteOrderMark(Reader reader) throws IOException {
        reader.mark(1);
        if (reader.read() != '\uFEFF') {
            reader.reset();
        }
    }

    private void readCsv(String file, Reader reader, Consumer<Row> rows) throws IOException {
        Table table = new Table(file, rows);
        CSVParser parser = CSVFormat.RFC4180.parse(reader);
        Iterator<CSVRecord> records = parser.iterator();
        long number = 1;
        for (CSVRecord row = next(records, file, number); row != null; row = next(records, file, number)) {
            String[] values = row.values();
            if (values.length > 1 || !values[0].isEmpty()) {
                table.add(number, values);
            }
            number = parser.getCurrentLineNumber() + 1;
        }
        table.end();
    }

    /** @return null after the last */
    private static CSVRecord next(Iterator<CSVRecord> records, String file, long number) {
        try {
            return records.hasNext() ? records.next() : null;
        } catch (UncheckedIOException e) {
            throw new UnrollException(
                    file + ", row at " + number
                            + ": a quotation mark that opens a value is not closed by one before a comma or"
                            + " the line's end: " + e.getCause().getMessage()
                            + ". Mend the file: what follows cannot be told apart. Inside a value, a quotation mark is written"
                            + " as two.",
                    e);
        }
    }

    private void readTsv(String file, BufferedReader reader, Consumer<Row> rows) throws IOException {
        Table table = new Table(file, rows);
        long number = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            number++;
            if (!line.isEmpty()) {
                table.add(number, line.split("\t", -1));
            }
        }
        table.end();
    }

    /** The rows of a file with columns, whose names or numbers say where the wanted values are. */
    private final class Table {
        private final String file;
        private final Consumer<Row> rows;
        /** Of each meaning, which column, from 0; null before the first row. */
        private Map<String, Integer> places;
        /** As many as have a name, or as the first usable row has, or the widest where none is usable. */
        private int columns;

        Table(String file, Consumer<Row> rows) {
            this.file = file;
            this.rows = rows;
        }

        void name(List<String> names) {
            places = places(meaning -> place(meaning, names, file));
            columns = names.size();
        }

        void add(long number, String[] values) {
            if (places == null && header) {
                name(Arrays.asList(values));
                return;
            }
            if (places == null) {
                places = places(RowFormat.this::number);
            }
            String missing = null;
            if (missing(columns) != null) {
                columns = Math.max(columns, values.length);
                missing = missing(values.length);
            }
            rows.accept(
                    missing == null ? row(number, values) : new Row(file, number, Map.of(), "it has no " + missing));
        }

        private Row row(long number, String[] values) {
            Map<String, String> found = new HashMap<>();
            places.forEach((meaning, place) -> found.put(meaning, place < values.length ? values[place] : null));
            boolean more = Arrays.stream(values).skip(columns).anyMatch(StringUtils::isNotEmpty);
            return new Row(file, number, found, more ? tooMany(values.length) : null);
        }

        private String tooMany(int number) {
            return "it has " + number + " columns, and the file's first " + (header ? "" : "usable ") + "row " + columns
                    + ": in a .csv, quotation marks go around a value with a comma";
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
                throw new ConfigurationException("no row of " + file + " has a " + missing + ".");
            }
        }
    }

    private Map<String, Integer> places(ToIntFunction<String> place) {
        return meanings.stream().collect(Collectors.toMap(Function.identity(), place::applyAsInt));
    }

    private int place(String meaning, List<String> names, String file) {
        int place = names.indexOf(columns.get(meaning));
        if (place < 0) {
            throw new ConfigurationException(file + " has no column " + columns.get(meaning) + " (corpus.columns."
                    + meaning + "); its columns are " + String.join(", ", names) + ".");
        }
        return place;
    }

    private int number(String meaning) {
        String column = columns.get(meaning);
        if (!column.matches("[1-9]\\d{0,4}")) {
            throw new ConfigurationException("corpus.columns." + meaning + " is " + column
                    + "; it must be a column's number, from 1, since corpus.header is false.");
        }
        return Integer.parseInt(column) - 1;
    }

    private void readLines(String file, BufferedReader reader, Consumer<Row> rows) throws IOException {
        String label = label(file);
        long number = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            number++;
            if (!line.isBlank()) {
                rows.accept(labelled(file, number, line.strip(), label));
            }
        }
    }

    private static String label(String file) {
        String name = new Path(file).getName();
        return name.contains(".") ? name.substring(0, name.indexOf('.')) : name;
    }

    private static String parent(String file) {
        return new Path(file).getParent().getName();
    }

    private Row labelled(String file, long number, String text, String label) {
        if (!List.of("text", "label").containsAll(meanings)) {
            throw new ConfigurationException(file + " has no columns, and the task needs "
                    + String.join(" and ", meanings) + ": give a .csv, .tsv or .parquet file, or say corpus.format.");
        }
        return new Row(file, number, Map.of("text", text, "label", label));
    }

    private void readParquet(String file, Configuration hadoop, Consumer<Row> rows) throws IOException {
        try (ParquetReader<Group> reader = ParquetReader.builder(new GroupReadSupport(), new Path(file))
                .withConf(hadoop)
                .build()) {
            Table table = new Table(file, rows);
            long number = 0;
            for (Group group = reader.read(); group != null; group = reader.read()) {
                GroupType type = group.getType();
                if (number == 0) {
                    table.name(type.getFields().stream().map(Type::getName).toList());
                }
                String[] values = new String[type.getFieldCount()];
                for (int i = 0; i < values.length; i++) {
                    boolean given = type.getType(i).isPrimitive() && group.getFieldRepetitionCount(i) == 1;
                    values[i] = given ? group.getValueToString(i, 0) : null;
                }
                table.add(number++, values);
            }
        } catch (RuntimeException e) {
            throw e instanceof UnrollException
                    ? e
                    : new UnrollException(file + " cannot be read as a Parquet file: " + e.getMessage(), e);
        }
    }
}
