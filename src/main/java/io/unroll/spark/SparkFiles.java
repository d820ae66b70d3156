package io.unroll.spark;

import static org.apache.spark.sql.functions.input_file_name;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileEnding;
import io.unroll.storage.FileSplit;
import io.unroll.storage.NewFolders;
import io.unroll.storage.SplitInput;
import io.unroll.text.Boundary;
import io.unroll.text.Row;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Reads files with Spark's readers, with {@code corpus.options}. */
final class SparkFiles {
    /** Formats whose files are text, in UTF-8 unless corpus.options has another encoding. */
    private static final Set<String> TEXT_FORMATS = Set.of("csv", "tsv", "json", "text");
    /** Options that are derived from other settings. */
    private static final Set<String> FIXED_OPTIONS =
            Set.of("header", "mode", "inferschema", "enforceschema", "columnnameofcorruptrecord");

    /** The folder whose subfolders are partitions; blank for that of the path. */
    static final String BASE_PATH = "basePath";

    private static final int MAX_HEADER_BYTES = 1 << 24;
    private static final int CHECKED_JSON_ROWS = 100;

    private final Session session;
    private final Settings.Corpus corpus;
    private final Map<String, String> columnOfField;
    private final Map<String, String> options;

    /** @param columnOfField name of the column of each field; its number if the files have no header */
    SparkFiles(Session session, Settings.Corpus corpus, Map<String, String> columnOfField) {
        this.session = session;
        this.corpus = corpus;
        this.columnOfField = columnOfField;
        this.options = new LinkedHashMap<>(corpus.options());
        options.entrySet()
                .removeIf(option -> option.getKey().equalsIgnoreCase(BASE_PATH)
                        && option.getValue().isBlank());
        for (String option : options.keySet()) {
            if (FIXED_OPTIONS.contains(option.toLowerCase(Locale.ROOT))) {
                throw new ConfigurationException("corpus.options." + option + " cannot be set: it is derived from"
                        + " corpus.header, corpus.columns and corpus.malformed.");
            }
        }
    }

    /** @return the rows of a path that only Spark's reader understands, such as the folder of a Delta table */
    JavaRDD<Row> rows(String path) {
        DataFrameReader reader =
                session.sqlWithTextPartitions().read().format(corpus.format()).options(options);
        return new TableColumns(columnOfField, path, "").rows(SparkErrors.analyze(path, () -> reader.load(path)));
    }

    /**
     * @param path the path that contains the files
     * @param files the files, all in this format
     */
    JavaRDD<Row> rows(String path, String format, List<FileSplit> files) {
        boolean isTable = format.equals("csv") || format.equals("tsv");
        List<FileHead> heads = TEXT_FORMATS.contains(format) ? heads(files, isTable && corpus.header()) : List.of();
        if (isTable) {
            return session.union(byHeader(heads).stream()
                    .map(ofHeader -> csv(path, format, ofHeader))
                    .map(table -> table.columns().rows(table.data()))
                    .toList());
        }
        DataFrameReader reader = reader(format);
        List<String> names = files.stream()
                .filter(file -> file.length() > 0)
                .map(FileSplit::file)
                .toList();
        if (format.equals("json")) {
            boolean areLines = !Boolean.parseBoolean(option("multiLine").orElse("false"));
            if (corpus.malformed() == Settings.Malformed.ERROR && areLines && !names.isEmpty()) {
                checkJsonColumns(names.get(0));
            }
            reader.schema(jsonSchema());
        }
        Map<String, String> columns = new LinkedHashMap<>(columnOfField);
        if (format.equals("text")) {
            columns.replace("text", "text", "value");
        }
        return new TableColumns(columns, path, "").rows(load(path, names, reader));
    }

    /** @return all columns of a path that only Spark's reader understands */
    Dataset<org.apache.spark.sql.Row> table(String path) {
        DataFrameReader reader =
                session.sqlWithTextPartitions().read().format(corpus.format()).options(options);
        return new TableColumns(columnOfField, path, "").table(SparkErrors.analyze(path, () -> reader.load(path)));
    }

    /**
     * @param path the path that contains the files
     * @param files the files, all in this format
     * @return all columns; the files of a CSV table with other headers are other tables
     */
    List<Dataset<org.apache.spark.sql.Row>> tables(String path, String format, List<FileSplit> files) {
        List<String> names = files.stream().map(FileSplit::file).toList();
        String textColumn = columnOfField.get("text");
        switch (format) {
            case "csv", "tsv":
                return byHeader(heads(files, corpus.header())).stream()
                        .map(ofHeader -> {
                            CsvTable csv = csv(path, format, ofHeader);
                            return csv.columns().table(csv.data()).drop(TableColumns.CORRUPT_ROW);
                        })
                        .toList();
            case "lines", "files":
                DataFrameReader text = reader("text");
                Dataset<org.apache.spark.sql.Row> lines = load(
                                path, names, text.option("wholetext", format.equals("files")))
                        .withColumnRenamed("value", textColumn);
                Dataset<org.apache.spark.sql.Row> named =
                        format.equals("files") ? lines.withColumn("file", input_file_name()) : lines;
                return List.of(new TableColumns(columnOfField, path, "").table(named));
            default:
                Map<String, String> columns = new LinkedHashMap<>(columnOfField);
                if (format.equals("text")) {
                    columns.replace("text", "text", "value");
                }
                return List.of(new TableColumns(columns, path, "")
                        .table(load(path, names, reader(format)))
                        .drop(TableColumns.CORRUPT_ROW));
        }
    }

    /** @return the value of an option, whose name may be written in any case */
    private Optional<String> option(String name) {
        return options.entrySet().stream()
                .filter(option -> option.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private DataFrameReader reader(String format) {
        DataFrameReader reader = session.sqlWithTextPartitions()
                .read()
                .format(format.equals("tsv") ? "csv" : format)
                .option("columnNameOfCorruptRecord", TableColumns.CORRUPT_ROW);
        if (format.equals("csv")) {
            // Inside a quoted value, a quotation mark is written twice (RFC 4180).
            reader.option("escape", "\"");
        } else if (format.equals("tsv")) {
            reader.option("sep", "\t").option("quote", "").option("escape", "");
        }
        return reader.options(options);
    }

    private Dataset<org.apache.spark.sql.Row> load(String path, List<String> files, DataFrameReader reader) {
        if (option(BASE_PATH).isEmpty() && files.stream().anyMatch(file -> file.contains("="))) {
            String base = partitionBase(path);
            if (files.stream().anyMatch(file -> isPartitioned(file, base))) {
                reader.option(BASE_PATH, base);
            }
        }
        // Spark reads paths as patterns.
        String[] literal = files.stream().map(SparkFiles::literal).toArray(String[]::new);
        return SparkErrors.analyze(path, () -> reader.load(literal));
    }

    private static String literal(String file) {
        return file.replaceAll("[{}\\[\\]*?\\\\]", "\\\\$0");
    }

    /** @return the innermost folder that contains all files of a path: the part of a pattern before its wildcards */
    private String partitionBase(String path) {
        try {
            Path base = new Path(path);
            FileSystem fs = base.getFileSystem(session.hadoop());
            return fs.makeQualified(NewFolders.before(fs, base).existing()).toString();
        } catch (IOException e) {
            throw new UnrollException("cannot list " + path + ": " + e.getMessage(), e);
        }
    }

    private static boolean isPartitioned(String file, String base) {
        return file.startsWith(base + "/")
                && file.substring(base.length(), file.lastIndexOf('/') + 1).contains("=");
    }

    /** @return the files of each header: their columns may be in another order */
    private static List<List<String>> byHeader(List<FileHead> heads) {
        return List.copyOf(heads.stream()
                .collect(Collectors.groupingBy(
                        FileHead::header, TreeMap::new, Collectors.mapping(FileHead::file, Collectors.toList())))
                .values());
    }

    private record CsvTable(TableColumns columns, Dataset<org.apache.spark.sql.Row> data) {}

    /** @param files with equal headers */
    private CsvTable csv(String path, String format, List<String> files) {
        String first = files.get(0);
        DataFrameReader reader = reader(format).option("header", corpus.header());
        StructType schema = load(first, List.of(first), reader).schema();
        Map<String, String> columns = corpus.header() ? columnOfField : numbered(first, schema);
        String hint = corpus.header() ? hint(format, schema.fieldNames()) : "";
        reader.schema(schema.add(TableColumns.CORRUPT_ROW, DataTypes.StringType));
        return new CsvTable(
                new TableColumns(columns, files.size() == 1 ? first : path, hint), load(path, files, reader));
    }

    /** @return for each field, Spark's name of the column with the number in {@code corpus.columns} */
    private Map<String, String> numbered(String file, StructType schema) {
        Map<String, String> names = new LinkedHashMap<>();
        columnOfField.forEach((field, number) -> {
            if (!number.matches("[1-9]\\d{0,4}")) {
                throw new ConfigurationException(RowSource.key(field) + " is " + number
                        + "; with corpus.header = false, it must be a column number, starting at 1.");
            }
            int index = Integer.parseInt(number) - 1;
            if (index >= schema.size()) {
                throw new ConfigurationException("the first row of " + file + " has no column " + number + " ("
                        + RowSource.key(field) + ", with corpus.header = false); it has " + schema.size() + ".");
            }
            names.put(field, schema.fieldNames()[index]);
        });
        return names;
    }

    /** @return advice for files whose separator or header is not as configured */
    private String hint(String format, String[] names) {
        String separator = format.equals("tsv") ? "\t" : ",";
        for (String other : List.of(";", "\t", ",", "|")) {
            if (names.length == 1 && !other.equals(separator) && names[0].contains(other)) {
                String shown = other.equals("\t") ? "\\t" : other;
                return " Its values seem to be separated by " + (other.equals("\t") ? "tabs" : "\"" + other + "\"")
                        + ": set corpus.options.sep = \"" + shown + "\".";
            }
        }
        return " If the file has no header row, set corpus.header = false and column numbers in corpus.columns.";
    }

    /** @return a schema with the columns that the task reads; a name such as a.b is a field of a struct */
    private StructType jsonSchema() {
        StructType schema = new StructType().add(TableColumns.CORRUPT_ROW, DataTypes.StringType);
        for (String name : columnOfField.values()) {
            schema = with(schema, List.of(name.split("\\.")));
        }
        return schema;
    }

    /**
     * Checks that the first rows have the columns: the schema of JSON follows from the settings, so that Spark finds no
     * column missing. A file that cannot be read is reported when it is read.
     */
    private void checkJsonColumns(String file) {
        List<String> first;
        try {
            DataFrameReader text = session.sql().read();
            option("lineSep").ifPresent(separator -> text.option("lineSep", separator));
            first = text.textFile(literal(file)).takeAsList(CHECKED_JSON_ROWS);
        } catch (Exception e) {
            return;
        }
        Dataset<String> rows = session.sql().createDataset(first, Encoders.STRING());
        StructType schema = reader("json").option("samplingRatio", 1).json(rows).schema();
        List<String> names = Stream.of(schema.fieldNames())
                .filter(name -> !name.equals(TableColumns.CORRUPT_ROW))
                .toList();
        columnOfField.forEach((field, name) -> {
            boolean isInFile = has(schema, List.of(name.split("\\."))) || file.contains("/" + name + "=");
            if (!isInFile && !names.isEmpty()) {
                throw new TableColumns(columnOfField, file, "").missing(field, name, schema.fieldNames());
            }
        });
    }

    /** @return whether a schema has this field of a struct; names are compared as in {@link #jsonSchema} */
    private static boolean has(StructType schema, List<String> path) {
        if (!List.of(schema.fieldNames()).contains(path.get(0))) {
            return false;
        }
        return path.size() == 1
                || (schema.apply(path.get(0)).dataType() instanceof StructType inner
                        && has(inner, path.subList(1, path.size())));
    }

    private static StructType with(StructType schema, List<String> path) {
        String name = path.get(0);
        boolean exists = List.of(schema.fieldNames()).contains(name);
        if (path.size() == 1) {
            return exists ? schema : schema.add(name, DataTypes.StringType);
        }
        StructType inner =
                exists && schema.apply(name).dataType() instanceof StructType struct ? struct : new StructType();
        StructField field = DataTypes.createStructField(name, with(inner, path.subList(1, path.size())), true);
        return new StructType(Stream.concat(
                        Stream.of(schema.fields()).filter(other -> !other.name().equals(name)), Stream.of(field))
                .toArray(StructField[]::new));
    }

    private record FileHead(String file, String header) implements Serializable {}

    /**
     * @return the files that have a first line
     * @throws UnrollException if a file is not text in UTF-8
     */
    private List<FileHead> heads(List<FileSplit> files, boolean isHeader) {
        FileEnding.refusePacked(files);
        var hadoop = session.hadoopBroadcast();
        boolean otherEncoding = option("encoding").or(() -> option("charset")).isPresent();
        Boundary boundary = otherEncoding ? Boundary.BYTE : Boundary.LINE;
        return session
                .map(
                        "prepare: check files",
                        CorpusFiles.group(files, Session.TASK_BYTES),
                        part -> heads(part, boundary, isHeader, hadoop.value().value()))
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    private static List<FileHead> heads(
            List<FileSplit> files, Boundary boundary, boolean isHeader, Configuration hadoop) throws IOException {
        List<FileHead> heads = new ArrayList<>();
        for (FileSplit file : files) {
            try (SplitInput in = SplitInput.open(file, boundary, hadoop)) {
                Text line = new Text();
                if (new LineReader(in).readLine(line, MAX_HEADER_BYTES, MAX_HEADER_BYTES) > 0) {
                    heads.add(new FileHead(file.file(), isHeader ? line.toString() : ""));
                }
            }
        }
        return heads;
    }
}
