package io.unroll.spark;

import static org.apache.spark.sql.functions.col;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.storage.CorpusFiles;
import io.unroll.storage.FileEnding;
import io.unroll.storage.FileSplit;
import io.unroll.storage.TextRows;
import io.unroll.text.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;

/**
 * Reads the rows of a corpus: of files, of a table in the catalog ({@code corpus.table}), or of a query ({@code
 * corpus.query}). The order of the rows is undefined.
 */
final class RowSource {
    static final String DOCUMENT = "document";
    static final String ORDER = "order";
    static final String SPLIT = "split";
    static final String WEIGHT = "weight";

    private static final Set<String> LISTED_FORMATS =
            Set.of("auto", "lines", "files", "text", "csv", "tsv", "json", "parquet", "orc", "avro");

    private final Session session;
    private final Settings.Corpus corpus;
    /** Name or number of the column of each field. */
    private final Map<String, String> columnOfField = new LinkedHashMap<>();

    /**
     * @param fields the fields that the task reads
     * @param isOneText whether the rows are one text, in the order of {@code corpus.columns.order}
     */
    RowSource(Session session, Settings.Corpus corpus, List<String> fields, boolean isOneText) {
        this.session = session;
        this.corpus = corpus;
        fields.forEach(field -> columnOfField.put(field, corpus.columns().get(field)));
        boolean areJoined = !corpus.columns().get(DOCUMENT).isBlank();
        if (areJoined) {
            columnOfField.put(DOCUMENT, corpus.columns().get(DOCUMENT));
        }
        boolean areOrdered = isOneText || areJoined || corpus.splitBy().equals("order");
        if (areOrdered && !corpus.columns().get(ORDER).isBlank()) {
            columnOfField.put(ORDER, corpus.columns().get(ORDER));
        }
        if (!List.of("auto", "row", "content", "order").contains(corpus.splitBy())) {
            columnOfField.put(SPLIT, corpus.splitBy());
        }
        if (!corpus.columns().get(WEIGHT).isBlank()) {
            columnOfField.put(WEIGHT, corpus.columns().get(WEIGHT));
        }
    }

    /** @return the fields of each row: those that the task reads, and those that divide and order the rows */
    List<String> fields() {
        return List.copyOf(columnOfField.keySet());
    }

    /** @return the key of the setting that names the column of a field */
    static String key(String field) {
        return field.equals(SPLIT) ? "corpus.split-by" : "corpus.columns." + field;
    }

    /** @return the path, table or query, for messages */
    String name() {
        return corpus.source();
    }

    JavaRDD<Row> rows() {
        return rows(List.of());
    }

    /** @return the rows of files in the format of the corpus; without paths, those of the corpus */
    JavaRDD<Row> rows(List<String> paths) {
        JavaRDD<Row> rows = paths.isEmpty()
                ? corpusRows()
                : session.union(paths.stream().map(this::rows).toList());
        return columnOfField.containsKey(DOCUMENT) ? rows.map(Row::withoutSeparators) : rows;
    }

    private JavaRDD<Row> corpusRows() {
        if (!corpus.table().isBlank()) {
            String origin = "corpus.table, " + corpus.table();
            return new TableColumns(columnOfField, origin, "")
                    .rows(SparkErrors.analyze(origin, () -> session.sql().table(corpus.table())));
        }
        if (!corpus.query().isBlank()) {
            return new TableColumns(columnOfField, "corpus.query", "")
                    .rows(SparkErrors.analyze(
                            "corpus.query", () -> session.sql().sql(corpus.query())));
        }
        return rows(corpus.path());
    }

    /** @return the name of the additional column of {@link #table} with the values of a field */
    static String columnName(String field) {
        return "unroll_" + field;
    }

    static Column column(String field) {
        return col(columnName(field));
    }

    /**
     * Reads all columns, and adds the values of the fields as text, in the columns of {@link #columnName}. Every line is a
     * row, even an empty one; a malformed row has a NUL as its text.
     *
     * @param paths of files in the format of the corpus; none for the table or query of the corpus
     */
    Dataset<org.apache.spark.sql.Row> table(List<String> paths) {
        if (paths.isEmpty()) {
            String origin = corpus.table().isBlank() ? "corpus.query" : "corpus.table, " + corpus.table();
            return new TableColumns(columnOfField, origin, "")
                    .table(SparkErrors.analyze(
                            origin,
                            () -> corpus.table().isBlank()
                                    ? session.sql().sql(corpus.query())
                                    : session.sql().table(corpus.table())));
        }
        SparkFiles spark = new SparkFiles(session, corpus, columnOfField);
        String names = String.join(", ", paths);
        return SparkErrors.analyze(names, () -> paths.stream()
                .flatMap(path -> tables(spark, path).stream())
                .reduce(TableColumns::union)
                .orElseThrow(() -> new ConfigurationException(names + " contains no rows.")));
    }

    private List<Dataset<org.apache.spark.sql.Row>> tables(SparkFiles spark, String path) {
        if (!LISTED_FORMATS.contains(corpus.format())) {
            return List.of(spark.table(path));
        }
        List<FileSplit> all = CorpusFiles.wholeFiles(path, Session.TASK_BYTES, session.hadoop()).stream()
                .flatMap(List::stream)
                .toList();
        FileEnding.refusePacked(all);
        if (corpus.format().equals("auto")) {
            FileEnding.refuseNonRows(all);
        }
        List<Dataset<org.apache.spark.sql.Row>> tables = new ArrayList<>();
        all.stream()
                .collect(Collectors.groupingBy(file -> format(file.file()), TreeMap::new, Collectors.toList()))
                .forEach((format, files) -> tables.addAll(spark.tables(path, format, files)));
        return tables;
    }

    /** @return the rows of files in the format of the corpus */
    private JavaRDD<Row> rows(String path) {
        SparkFiles spark = new SparkFiles(session, corpus, columnOfField);
        if (!LISTED_FORMATS.contains(corpus.format())) {
            return spark.rows(path);
        }
        if (corpus.format().equals("lines")) {
            return lines(path);
        }
        List<FileSplit> all = CorpusFiles.wholeFiles(path, Session.TASK_BYTES, session.hadoop()).stream()
                .flatMap(List::stream)
                .toList();
        if (corpus.format().equals("auto")) {
            FileEnding.refuseNonRows(all);
        }
        List<JavaRDD<Row>> rows = new ArrayList<>();
        all.stream()
                .collect(Collectors.groupingBy(file -> format(file.file()), TreeMap::new, Collectors.toList()))
                .forEach((format, files) -> rows.add(
                        switch (format) {
                            case "lines" -> lines(path);
                            case "files" -> files(files);
                            default -> spark.rows(path, format, files);
                        }));
        return session.union(rows);
    }

    private String format(String file) {
        return corpus.format().equals("auto") ? FileEnding.format(file) : corpus.format();
    }

    private JavaRDD<Row> lines(String path) {
        List<List<FileSplit>> parts = CorpusFiles.parts(path, Session.TASK_BYTES, session.hadoop());
        checkPlainText(parts.get(0).get(0));
        boolean labelled = columnOfField.containsKey("label");
        var hadoop = session.hadoopBroadcast();
        return session.parallelizeParts(parts)
                .flatMap(split -> TextRows.lines(split, labelled, hadoop.value().value()));
    }

    private JavaRDD<Row> files(List<FileSplit> files) {
        checkPlainText(files.get(0));
        boolean labelled = columnOfField.containsKey("label");
        FileEnding.refusePacked(files);
        var hadoop = session.hadoopBroadcast();
        return session.parallelizeParts(CorpusFiles.group(files, Session.TASK_BYTES))
                .map(file -> TextRows.file(file, labelled, hadoop.value().value()));
    }

    /** @throws ConfigurationException if options are set that are not read */
    static void refuseOptions(Settings.Corpus corpus) {
        if (!corpus.options().isEmpty()) {
            throw new ConfigurationException("corpus.options has options of Spark's readers, but " + corpus.source()
                    + " is plain text, which Unroll reads itself: remove them, or read a table, for example with"
                    + " corpus.format = csv.");
        }
    }

    private void checkPlainText(FileSplit first) {
        if (!List.of("text", "label").containsAll(columnOfField.keySet())) {
            throw new ConfigurationException(first.file() + " has no columns, but the task needs "
                    + String.join(" and ", columnOfField.keySet())
                    + " (corpus.columns): use a table, such as a .csv, .json or .parquet file, or set corpus.format.");
        }
        refuseOptions(corpus);
    }
}
