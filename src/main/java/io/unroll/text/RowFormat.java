package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;

/** Reads the rows of files according to {@code corpus.format}, {@code header} and {@code columns}. */
public final class RowFormat implements Serializable {
    private static final long serialVersionUID = 1;
    private static final int MAX_ROW_BYTES = 1 << 24;
    private static final int MAX_SKIPPED_BYTES = 1 << 30;
    private static final String TOO_LONG = "it is longer than " + MAX_ROW_BYTES + " bytes, the maximum of a row";

    private final Settings.Format format;
    private final boolean header;
    /** Name or number of the column of each field. */
    private final LinkedHashMap<String, String> columns;

    /** @param fields the fields that a row must have */
    public RowFormat(Settings.Corpus corpus, List<String> fields) {
        this.format = corpus.format();
        this.header = corpus.header();
        this.columns = new LinkedHashMap<>();
        fields.forEach(field -> columns.put(field, corpus.columns().get(field)));
    }

    /** @return what the file's name says about its rows: format and label */
    public String formatAndLabel(String file) {
        Settings.Format fileFormat = of(file);
        String label = fileFormat == Settings.Format.LINES
                ? label(file)
                : fileFormat == Settings.Format.FILES ? parent(file) : "";
        return SettingNames.kebab(fileFormat) + " " + label;
    }

    /** @throws ConfigurationException if this format does not support a file */
    public void check(List<Slice> files) {
        FileEnding.refusePacked(files);
        if (format == Settings.Format.AUTO) {
            FileEnding.refuseNonRows(files);
        }
    }

    private Settings.Format of(String file) {
        return format == Settings.Format.AUTO ? FileEnding.format(file) : format;
    }

    /** Reads the rows of a file in order. */
    public void read(Slice file, Configuration hadoop, Consumer<Row> rows) throws IOException {
        String name = file.file();
        if (of(name) == Settings.Format.PARQUET) {
            if (file.length() > 0) {
                ParquetRows.read(name, hadoop, table(name, rows));
            }
            return;
        }
        try (SliceInput in = SliceInput.open(file, Slice.Boundary.LINE, hadoop)) {
            switch (of(name)) {
                case CSV -> readCsv(name, in, rows);
                case TSV -> readTsv(name, in, rows);
                case FILES -> readFile(name, in, rows);
                default -> readLines(name, in, rows);
            }
        }
    }

    private ColumnReader table(String file, Consumer<Row> rows) {
        return new ColumnReader(file, of(file), header, columns, rows);
    }

    private void readCsv(String file, InputStream in, Consumer<Row> rows) throws IOException {
        ColumnReader table = table(file, rows);
        LimitedReader reader = new LimitedReader(new InputStreamReader(in, StandardCharsets.UTF_8), file);
        CSVParser parser = CSVFormat.RFC4180.parse(reader);
        Iterator<CSVRecord> records = parser.iterator();
        for (CSVRecord row = next(records, reader, 1); row != null; ) {
            String[] values = row.values();
            if (values.length > 1 || !values[0].isEmpty()) {
                table.add(reader.row, values);
            }
            row = next(records, reader, parser.getCurrentLineNumber() + 1);
        }
        table.end();
    }

    /** @return null after the last record */
    private static CSVRecord next(Iterator<CSVRecord> records, LimitedReader reader, long number) {
        reader.row = number;
        reader.characters = 0;
        try {
            return records.hasNext() ? records.next() : null;
        } catch (UncheckedIOException e) {
            throw new UnrollException(
                    reader.file + ", row at " + number
                            + ": a quotation mark is not closed before a comma or the end of a line: "
                            + e.getCause().getMessage()
                            + ". Correct the file; inside a quoted value, a quotation mark is written twice.",
                    e);
        }
    }

    /** Fails at a row that is longer than the maximum. */
    private static final class LimitedReader extends FilterReader {
        private final String file;
        private long row;
        private long characters;

        LimitedReader(Reader in, String file) {
            super(in);
            this.file = file;
        }

        @Override
        public int read(char[] target, int offset, int length) throws IOException {
            int read = super.read(target, offset, length);
            characters += Math.max(0, read);
            if (characters > MAX_ROW_BYTES) {
                throw new UnrollException(file + ", row at " + row + ": " + TOO_LONG
                        + ". Check the file for a quotation mark that is not closed.");
            }
            return read;
        }
    }

    private void readTsv(String file, InputStream in, Consumer<Row> rows) throws IOException {
        ColumnReader table = table(file, rows);
        eachLine(file, in, (line, number) -> {
            if (line == null) {
                table.addMalformed(number, TOO_LONG);
            } else if (!line.isEmpty()) {
                table.add(number, line.split("\t", -1));
            }
        });
        table.end();
    }

    private void readLines(String file, InputStream in, Consumer<Row> rows) throws IOException {
        String label = label(file);
        eachLine(file, in, (line, number) -> {
            if (line == null) {
                rows.accept(new Row(file, number, Map.of(), TOO_LONG));
            } else if (!line.isBlank()) {
                rows.accept(labelled(file, number, line.strip(), label));
            }
        });
    }

    /** @param use receives each line, or null if it is too long, and its number */
    private static void eachLine(String file, InputStream in, ObjLongConsumer<String> use) throws IOException {
        LineReader reader = new LineReader(in);
        Text line = new Text();
        long number = 0;
        for (int bytes = 1; bytes > 0; ) {
            bytes = reader.readLine(line, MAX_ROW_BYTES, MAX_SKIPPED_BYTES);
            number++;
            if (bytes >= MAX_SKIPPED_BYTES) {
                throw new UnrollException(
                        file + ", row at " + number + ": " + TOO_LONG + ". The file is probably not text.");
            }
            if (bytes > 0) {
                use.accept(line.getLength() == MAX_ROW_BYTES ? null : line.toString(), number);
            }
        }
    }

    private void readFile(String file, InputStream in, Consumer<Row> rows) throws IOException {
        byte[] content = in.readNBytes(MAX_ROW_BYTES);
        rows.accept(
                content.length == MAX_ROW_BYTES
                        ? new Row(file, 1, Map.of(), TOO_LONG)
                        : labelled(file, 1, new String(content, StandardCharsets.UTF_8), parent(file)));
    }

    private static String label(String file) {
        String name = new Path(file).getName();
        return name.contains(".") ? name.substring(0, name.indexOf('.')) : name;
    }

    private static String parent(String file) {
        return new Path(file).getParent().getName();
    }

    private Row labelled(String file, long number, String text, String label) {
        if (!List.of("text", "label").containsAll(columns.keySet())) {
            throw new ConfigurationException(
                    file + " has no columns, but the task needs " + String.join(" and ", columns.keySet())
                            + ": use a .csv, .tsv or .parquet file, or set corpus.format.");
        }
        return new Row(file, number, Map.of("text", text, "label", label));
    }
}
