package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every task with every source: the same rows give the same model. */
@Tag("full")
class SourcesIT extends LocalSparkSession {
    private static final List<String> ALL_TASKS =
            List.of("stream", "documents", "classification", "seq2seq", "captioning");

    /** Settings by source. */
    private static final Map<String, String> SOURCES = Map.ofEntries(
            Map.entry("files", "path = \"%s/files\", format = files"),
            Map.entry("files with line ends", "path = \"%s/ended\", format = files, columns.order = \"\""),
            Map.entry("lines", "path = \"%s/lines\", format = lines, columns.order = \"\""),
            Map.entry("text", "path = \"%s/lines\", format = text, columns.order = \"\""),
            Map.entry("csv", "path = \"%s/rows\", format = csv"),
            Map.entry("tsv", "path = \"%s/rows.tsv\", format = tsv"),
            Map.entry(
                    "json",
                    "path = \"%s/json\", format = json,"
                            + " columns { text = event.text, source = event.text, image = event.image }"),
            Map.entry("parquet", "path = \"%s/parquet\", format = parquet"),
            Map.entry("orc", "path = \"%s/orc\", format = orc"),
            Map.entry("table", "table = source_table"),
            Map.entry("query", "query = \"SELECT id, body AS text, label, image FROM source_view\""));

    private static SourceRows rows;

    @BeforeAll
    static void write() throws IOException {
        rows = new SourceRows(session, folder);
        StringBuilder tsv = new StringBuilder("id\timage\tlabel\ttext\n");
        for (SourceRows.Item item : rows.items) {
            write("files/" + item.label() + "/" + (100 + item.id()) + ".txt", item.text());
            write("ended/" + item.label() + "/" + (100 + item.id()) + ".txt", item.text() + "\n");
            append("lines/" + item.label() + ".txt", item.text() + "\n");
            tsv.append(String.join("\t", "" + item.id(), item.image(), item.label(), item.text() + "\n"));
        }
        write("rows.tsv", tsv.toString());
        var data = rows.data();
        data.write().option("header", true).option("escape", "\"").csv(folder + "/rows");
        data.selectExpr("id", "label", "named_struct('text', text, 'image', image) AS event")
                .write()
                .json(folder + "/json");
        data.write().partitionBy("label").parquet(folder + "/parquet");
        data.write().orc(folder + "/orc");
        data.write().option("path", folder + "/table").saveAsTable("source_table");
        data.withColumnRenamed("text", "body").createOrReplaceTempView("source_view");
    }

    static Stream<Arguments> cells() {
        return Stream.of(
                        cells("files", "documents", "classification"),
                        cells("files with line ends", "stream"),
                        cells("lines", "stream", "documents", "classification"),
                        cells("text", "stream", "documents"),
                        Stream.of("csv", "tsv", "json", "parquet", "orc", "table", "query")
                                .flatMap(source -> cells(source, ALL_TASKS.toArray(String[]::new))))
                .flatMap(cells -> cells);
    }

    private static Stream<Arguments> cells(String source, String... tasks) {
        return Stream.of(tasks).map(task -> Arguments.of(source, task));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    void trainsTheSameModel(String source, String task) throws IOException {
        int texts =
                switch (source) {
                    case "files with line ends" -> SourceRows.COUNT;
                    case "lines", "text" -> 2;
                    default -> 1;
                };
        rows.assertTrainsTheSameModelAsCsv(source, corpus(source), task, texts);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
            files   | seq2seq        | has no columns, but the task needs source and target (corpus.columns): use a table, such as a .csv, .json or .parquet file, or set corpus.format.
            files   | captioning     | has no columns, but the task needs image and caption (corpus.columns): use a table, such as a .csv, .json or .parquet file, or set corpus.format.
            lines   | seq2seq        | has no columns, but the task needs source and target (corpus.columns): use a table, such as a .csv, .json or .parquet file, or set corpus.format.
            lines   | captioning     | has no columns, but the task needs image and caption (corpus.columns): use a table, such as a .csv, .json or .parquet file, or set corpus.format.
            text    | classification | has no column label (corpus.columns.label); its columns are value.
            text    | seq2seq        | has no column text (corpus.columns.source); its columns are value.
            text    | captioning     | has no column image (corpus.columns.image); its columns are value.
            """)
    void isRefused(String source, String task, String sentence) {
        assertRefused(source, task, sentence);
    }

    @ParameterizedTest
    @CsvSource({"csv", "tsv", "json", "parquet", "orc", "table", "query"})
    void tablesAreNoTextWithoutAnOrder(String source) {
        assertRefused(
                source,
                "stream without order",
                "have no order of their own: set it to a column, or set corpus.documents = reset, so that each row is"
                        + " a document.");
    }

    private static void assertRefused(String source, String task, String sentence) {
        String problem = assertThrows(ConfigurationException.class, () -> rows.train(source, corpus(source), task))
                .getMessage();
        assertTrue(problem.endsWith(sentence), problem);
    }

    private static String corpus(String source) {
        return SOURCES.get(source).formatted(folder);
    }

    private static void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void append(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        write(name, (Files.exists(file) ? Files.readString(file) : "") + text);
    }
}
