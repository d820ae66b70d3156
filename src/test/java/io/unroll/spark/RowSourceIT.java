package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Dataset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads the same rows from files in all formats, from tables and from queries. */
class RowSourceIT extends LocalSparkSession {
    private static final List<Map<String, String>> ROWS =
            List.of(Map.of("text", "one, \"two\"", "label", "x"), Map.of("text", "w\u00f6rter", "label", "y"));

    @Test
    void readsTextTablesWithHeaders() throws IOException {
        assertEquals(
                ROWS,
                rows(write("a.csv", "\uFEFFid,label,text\r\n1,x,\"one, \"\"two\"\"\"\r\n\r\n2,y,w\u00f6rter\r\n"), ""));
        assertEquals(ROWS, rows(write("a.tsv", "label\ttext\nx\tone, \"two\"\ny\tw\u00f6rter\n"), ""));
        assertEquals(
                ROWS,
                rows(
                        write("b.txt", "label;text\nx;one, \"two\"\ny;w\u00f6rter\n"),
                        "format = csv, options { sep = \";\", quote = \"\" }"));
        Path zipped = folder.resolve("c.csv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(zipped))) {
            out.write("label,text\nx,\"one, \"\"two\"\"\"\ny,w\u00f6rter\n".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(ROWS, rows(zipped, ""));
    }

    @Test
    void readsOptionsOfSparksReader() throws IOException {
        Path latin = Files.write(
                folder.resolve("latin.csv"), "text,label\nw\u00f6rter,y\n".getBytes(Charset.forName("ISO-8859-1")));
        assertEquals(ROWS.subList(1, 2), rows(latin, "options.encoding = ISO-8859-1"));
        Path lines = write("lines.csv", "text,label\n\"a\nb\",x\n");
        assertEquals(List.of(Map.of("text", "a\nb", "label", "x")), rows(lines, "options.multiLine = true"));
        assertProblem(lines, "options.header = true", "corpus.options.header cannot be set");
    }

    /** For example, after a column was added. */
    @Test
    void readsFilesWhoseColumnsAreInAnotherOrder() throws IOException {
        Path many = Files.createDirectories(folder.resolve("many"));
        Files.writeString(many.resolve("a.csv"), "label,text\nx,\"one, \"\"two\"\"\"\n");
        Files.writeString(many.resolve("b.csv"), "text,id,label\nw\u00f6rter,7,y\n");
        Files.writeString(many.resolve("empty.csv"), "");
        assertEquals(ROWS, rows(many, ""));
    }

    @Test
    void readsColumnsByNumber() throws IOException {
        Path file = write("numbers.tsv", "\"a\tx\nb\ty\n");
        String numbers = "header = false, columns { text = 1, label = 2 }";
        assertEquals(
                List.of(Map.of("text", "\"a", "label", "x"), Map.of("text", "b", "label", "y")), rows(file, numbers));
        assertProblem(file, "header = false, columns { text = 1, label = 4 }", "has no column 4 (corpus.columns.label");
        assertProblem(file, "header = false", "corpus.columns.text is text; with corpus.header = false, it must be a");
    }

    /** A column that is missing in the first rows is a name that is wrong; rows may lack it if they are skipped. */
    @Test
    void findsMissingColumnsOfJson() throws IOException {
        Path file = write("columns.json", "{\"body\": {\"text\": \"a\"}, \"label\": \"x\"}\n");
        String missing = "columns.json has no column text (corpus.columns.text); its columns are body, label.";
        assertProblem(file, "", missing);
        assertProblem(file, "columns.text = body.txt", "has no column body.txt (corpus.columns.text)");
        assertEquals(List.of(Map.of("text", "a", "label", "x")), rows(file, "columns.text = body.text"));
        Path pretty = write("pretty.json", "{\"a\": {\"b\": 1},\n\"text\": \"a\",\n\"label\": \"x\"}\n");
        assertEquals(List.of(Map.of("text", "a", "label", "x")), rows(pretty, "options.multiLine = true"));
        // Names differ in upper and lower case, and the first file may be empty.
        assertProblem(
                write("upper.json", "{\"Text\": \"a\", \"label\": \"x\"}\n"),
                "",
                "has no column text (corpus.columns.text)");
        Path both = write("both.json", "{\"Text\": \"b\", \"text\": \"a\", \"label\": \"x\"}\n");
        assertEquals(List.of(Map.of("text", "a", "label", "x")), rows(both, "options.samplingRatio = 0.01"));
        Path parts = Files.createDirectories(folder.resolve("parts.json"));
        Files.writeString(parts.resolve("a.json"), "\n");
        Files.writeString(parts.resolve("b.json"), "{\"label\": \"x\", \"text\": \"a\"}\n");
        assertEquals(1, rows(parts, "").size());
        Path later = write("later.json", "{\"label\": \"x\"}\n{\"label\": \"y\", \"text\": \"a\"}\n");
        assertEquals(2, read(later, "malformed = skip").size());
        Path day = Files.createDirectories(folder.resolve("days.json/label=7"));
        Files.move(file, day.resolve("columns.json"));
        assertEquals(List.of(Map.of("text", "a", "label", "7")), rows(day.getParent(), "columns.text = body.text"));
    }

    @Test
    void readsJsonLinesWithNestedColumns() throws IOException {
        Path file = write(
                "a.jsonl",
                "{\"event\": {\"text\": \"one, \\\"two\\\"\"}, \"label\": \"x\"}\n"
                        + "{\"label\": \"y\", \"other\": [1], \"event\": {\"text\": \"w\u00f6rter\"}}\n");
        assertEquals(ROWS, rows(file, "columns.text = event.text"));
        Path numbers = write("numbers.json", "{\"text\": 1.25, \"label\": true}\n");
        assertEquals(List.of(Map.of("text", "1.25", "label", "true")), rows(numbers, ""));
        List<Row> rows = read(write("bad.json", "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \n"), "");
        assertMalformed("it cannot be parsed, or has other columns than the first row: {\"text\": ", rows.get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "orc"})
    void readsColumnarFilesWithNestedAndPartitionColumns(String format) {
        Path table = folder.resolve("columnar." + format);
        sample().selectExpr("named_struct('text', text) AS event", "label")
                .write()
                .format(format)
                .partitionBy("label")
                .save(table.toString());
        assertEquals(ROWS, rows(table, "columns.text = event.text"));
        assertEquals(ROWS, rows(Path.of(table + "/label=*"), "columns.text = event.text"));
        assertProblem(
                table, "columns.text = event", "column event (corpus.columns.text) is a struct; it must be a text");
        assertProblem(
                table, "columns.text = event.body", "has no column event.body (corpus.columns.text); its columns are");
    }

    /** In each format: 007 is not the number 7, and a later folder may have a text that is no number. */
    @ParameterizedTest
    @ValueSource(strings = {"csv", "json", "parquet", "orc"})
    void partitionColumnsAreTexts(String format) {
        Path table = folder.resolve("partitions." + format);
        session.sql()
                .sql("SELECT * FROM VALUES ('a', '007'), ('b', '1e1'), ('c', 'x') AS rows(text, label)")
                .write()
                .format(format)
                .option("header", true)
                .partitionBy("label")
                .save(table.toString());
        assertEquals(
                List.of(
                        Map.of("text", "a", "label", "007"),
                        Map.of("text", "b", "label", "1e1"),
                        Map.of("text", "c", "label", "x")),
                rows(table, "format = " + format));
        assertEquals(
                List.of(Map.of("text", "a", "label", "007")), rows(Path.of(table + "/label=0*"), "format = " + format));
    }

    @Test
    void readsTablesAndQueries() {
        sample().createOrReplaceTempView("logs");
        assertEquals(ROWS, rows("table = logs"));
        assertEquals(ROWS, rows("query = \"SELECT text AS body, label FROM logs\", columns.text = body"));
        assertProblem("table = missing", "corpus.table, missing cannot be read: ");
        assertProblem("query = \"SELEC 1\"", "corpus.query cannot be read: ");
        assertProblem("query = \"SELECT 1 AS text\"", "corpus.query has no column label (corpus.columns.label)");
    }

    @Test
    void readsLinesOfTextWithSparksReader() throws IOException {
        Path file = write("plain.txt", "a\nb\n");
        List<String> texts = read(settings(file, "format = text"), "text").stream()
                .map(row -> row.value("text"))
                .sorted()
                .toList();
        assertEquals(List.of("a", "b"), texts);
    }

    /** As Spark's cast to string does, with times in UTC. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CAST(1.5 AS DECIMAL(9,2))                         | 1.50",
                "DATE '2026-01-01'                                 | 2026-01-01",
                "TIMESTAMP '2023-11-14 22:13:20.123Z'              | 2023-11-14 22:13:20.123",
                "TIMESTAMP '2023-11-14 22:13:20+01:00'             | 2023-11-14 21:13:20",
                "TIMESTAMP_NTZ '1969-12-31 23:59:59.999999'        | 1969-12-31 23:59:59.999999",
                "true                                              | true",
                "CAST(0.1 AS DOUBLE)                               | 0.1",
                "-7                                                | -7",
                "CAST('w\u00f6rter' AS BINARY)                     | w\u00f6rter",
            })
    void formatsValues(String expression, String shown) {
        session.sql().conf().set("spark.sql.session.timeZone", "America/New_York");
        try {
            List<Row> rows =
                    read(settings("query = \"SELECT 'a' AS text, " + expression + " AS label\""), "text", "label");
            assertEquals(shown, rows.get(0).value("label"));
            Dataset<org.apache.spark.sql.Row> scored = new TableColumns(Map.of("label", "label"), "a query", "")
                    .table(session.sql().sql("SELECT " + expression + " AS label"));
            assertEquals(shown, scored.head().getString(1), "in a table that is scored");
        } finally {
            session.sql().conf().unset("spark.sql.session.timeZone");
        }
    }

    @Test
    void queriesParseTimesInUtc() {
        assertEquals("UTC", session.sql().conf().get("spark.sql.session.timeZone"));
        List<Row> rows = read(
                settings("query = \"SELECT 'a' AS text, to_timestamp('2026-03-08 02:30:00') AS label\""),
                "text",
                "label");
        assertEquals("2026-03-08 02:30:00", rows.get(0).value("label"));
    }

    /** Of columns whose values a cast, an index or a date function of a query would refuse. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "label                                          | x                   | y",
                "CAST(0.00000001 AS DECIMAL(20, 8))             | 1E-8                | 1E-8",
                "CAST(-12.50 AS DECIMAL(38, 2))                 | -12.50              | -12.50",
                "CAST('Infinity' AS DOUBLE)                     | Infinity            | Infinity",
                "9223372036854775807L                           | 9223372036854775807 | 9223372036854775807",
                "TIMESTAMP '9999-12-31 23:59:59Z'               | 9999-12-31 23:59:59 | 9999-12-31 23:59:59",
                "DATE '0001-01-01'                              | 0001-01-01          | 0001-01-01",
                "map('x', 'one')[label]                         | one                 | ",
                "element_at(map('x', 1), label)                 | 1                   | ",
                "try_cast(label AS INT)                         |                     | ",
                "try_add(2147483647, length(label))             |                     | ",
                "try_element_at(array('a'), 2 * length(label))  |                     | ",
                "get(array('a'), length(label))                 |                     | ",
                "try_to_timestamp(label)                        |                     | ",
            })
    void readsTheSameTextsInAnsiMode(String expression, String first, String second) throws Exception {
        sample().createOrReplaceTempView("logs");
        Settings query = settings("query = \"SELECT label AS text, " + expression + " AS label FROM logs\"");
        for (boolean ansi : new boolean[] {false, true}) {
            List<Row> rows = inAnsiMode(ansi, () -> read(query, "text", "label"));
            assertEquals(
                    Arrays.asList("x " + first, "y " + second),
                    rows.stream()
                            .map(row -> row.value("text") + " " + row.values().get("label"))
                            .sorted()
                            .toList());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CAST(label AS INT)                    | FROM logs                | The value 'x' of the type",
                "CAST(label AS DATE)                   | FROM logs                | The value 'x' of the type",
                "CAST(label AS INT)                    | FROM logs ORDER BY label | The value '[xy]' of the type",
                "CAST(label AS INT)                    | FROM one                 | The value 'x' of the type",
                "2147483647 + length(label)            | FROM logs                | (integer )?overflow",
                "9223372036854775807L * length(text)   | FROM logs                | (long )?overflow",
                "100 / (length(label) - 1)             | FROM logs                | [Dd]ivision by zero",
                "array(1)[length(label)]               | FROM logs                | The index 1 is out of bounds",
                "element_at(array(1), length(text))    | FROM logs                | The index \\d+ is out of bounds",
                "CAST(1e300 * length(text) AS INT)     | FROM logs                | The value .*E30\\dD of the type",
                "to_timestamp(label, 'yyyy')           | FROM logs                | Text 'x' could not be parsed",
                "make_date(2026, 13, length(label))    | FROM logs                | Invalid value for MonthOfYear",
            })
    void namesTheExpressionOfAQueryThatFailsInAnsiMode(String expression, String from, String reason) throws Exception {
        sample().createOrReplaceTempView("logs");
        sample().limit(1).createOrReplaceTempView("one");
        String corpus = "query = \"SELECT text, " + expression + " AS label " + from + "\"";
        inAnsiMode(true, () -> {
            String problem = assertThrows(UnrollException.class, () -> read(settings(corpus), "text", "label"))
                    .getMessage();
            // Spark does not tell the expression of each error.
            String named = reason.startsWith("The value .") || reason.matches("(Text|Invalid) .*")
                    ? "(.* fails: )?"
                    : Pattern.quote(expression) + " fails: ";
            assertTrue(problem.matches("corpus\\.query: " + named + reason + ".*"), problem);
            assertTrue(
                    problem.endsWith(" Or turn off Spark's ANSI mode: --conf spark.sql.ansi.enabled=false."), problem);
            assertEquals(1, problem.split("ansi\\.enabled").length - 1, problem);
            assertTrue(problem.matches(".*(try_|get\\(|valid|parsed).*"), problem);
            return null;
        });
        inAnsiMode(false, () -> read(settings(corpus), "text", "label"));
    }

    /** ANSI mode would cast the texts of one table to the numbers, booleans or times of the other. */
    @Test
    void tablesOfDifferentTypesAreTexts() throws Exception {
        Path texts = write("texts.csv", "text,id,flag,time,amount\na,one,maybe,now,x\n");
        Path typed = folder.resolve("typed.parquet");
        session.sql()
                .sql("SELECT 'b' AS text, 7 AS ID, true AS flag, DATE '2026-11-01' AS time,"
                        + " CAST(0.00000001 AS DECIMAL(20, 8)) AS amount, 1.5D AS more")
                .write()
                .parquet(typed.toString());
        List<String> paths = List.of(texts.toString(), typed.toString());
        for (boolean ansi : new boolean[] {false, true}) {
            List<String> rows = inAnsiMode(
                    ansi, () -> new RowSource(session, settings(texts, "").corpus(), List.of("text"), false)
                            .table(paths).collectAsList().stream()
                                    .map(row -> row.mkString(","))
                                    .toList());
            assertEquals(List.of("a,one,maybe,now,x,a,null", "b,7,true,2026-11-01,1E-8,b,1.5"), rows);
        }
    }

    @Test
    void namesMalformedRows() throws IOException {
        List<Row> rows = read(write("ragged.csv", "text,label\nWell, yes,x\nb,y\n"), "");
        assertMalformed("it cannot be parsed, or has other columns than the first row: Well, yes,x", rows.get(0));
        assertTrue(rows.get(0).place().endsWith("ragged.csv"), rows.get(0).place());
        assertMalformed(
                "its text contains a NUL byte",
                read(write("nul.csv", "text,label\na\0b,x\n"), "").get(0));
        Files.write(folder.resolve("bytes.csv"), "text,label\n\u00ff,x\n".getBytes(StandardCharsets.ISO_8859_1));
        assertMalformed(
                "its text contains bytes that are not valid UTF-8, or the replacement character U+FFFD",
                read(folder.resolve("bytes.csv"), "").get(0));
        List<Row> longRow = read(write("long.tsv", "text\tlabel\n" + "z".repeat(Row.MAX_CHARACTERS + 1) + "\tx\n"), "");
        assertMalformed(
                "its text has 1048577 characters; the maximum is 1048576: shorten it, or split it into several rows",
                longRow.get(0));
    }

    @Test
    void namesRowsOfParquetByNumber() {
        Path table = folder.resolve("numbered");
        sample().coalesce(1).write().parquet(table.toString());
        List<String> places =
                read(table, "format = parquet").stream().map(Row::place).toList();
        assertTrue(places.get(1).matches("file:.*\\.parquet, row at 2"), places.get(1));
    }

    @Test
    void wrongSeparatorOrHeaderGetsAHint() throws IOException {
        assertProblem(write("s.csv", "text;label\na;x\n"), "", "separated by \";\": set corpus.options.sep = \";\".");
        assertProblem(
                write("t.csv", "text\tlabel\na\tx\n"), "", "separated by tabs: set corpus.options.sep = \"\\t\".");
        assertProblem(
                write("n.csv", "ham,hello\nspam,buy\n"),
                "",
                "If the file has no header row, set corpus.header = false");
    }

    @Test
    void otherEncodingsAreNamedInEveryFormat() throws IOException {
        Path file = folder.resolve("utf16.csv");
        Files.write(file, "text,label\na,x\n".repeat(9).getBytes(StandardCharsets.UTF_16));
        for (String format : List.of("csv", "tsv", "json", "lines", "files")) {
            assertProblem(file, "format = " + format, "utf16.csv is text in UTF-16BE, not in UTF-8");
        }
    }

    @Test
    void damagedFilesAreNamed() throws IOException {
        assertProblem(write("damaged.parquet", "PAR1 no"), "", "damaged.parquet cannot be read");
        assertProblem(write("damaged.orc", "ORC no"), "", "damaged.orc cannot be read");
        Path zipped =
                Files.write(folder.resolve("damaged.csv.gz"), new byte[] {31, (byte) 139, 8, 0, 0, 0, 0, 0, 0, 0, 9});
        assertProblem(zipped, "", "damaged.csv.gz cannot be read as a compressed file");
    }

    @Test
    void formatWhosePackageIsMissingIsNamed() throws IOException {
        assertProblem(write("a.avro", "x"), "", "this Spark has no format avro. Add its package");
        assertProblem(write("a.delta", "x"), "format = delta", "this Spark has no format delta. Add its package");
    }

    @Test
    void mixedFileTypesAreRejected() throws IOException {
        for (String other : List.of("README.md", "notes", "b.xlsx")) {
            Path mixed = Files.createDirectories(folder.resolve("mixed-" + other));
            Files.writeString(mixed.resolve("a.csv"), "text,label\na,x\n");
            Files.writeString(mixed.resolve(other), "x");
            assertProblem(mixed, "", other + " is not a table, unlike ");
        }
    }

    @Test
    void readsNamesThatSparkWouldTakeForPatterns() throws IOException {
        Path odd = Files.createDirectories(folder.resolve("odd[1] {x}"));
        Files.writeString(odd.resolve("a.csv"), "text,label\na,x\n");
        Files.writeString(odd.resolve("b*?.csv"), "text,label\nb,y\n");
        assertEquals(List.of(Map.of("text", "a", "label", "x"), Map.of("text", "b", "label", "y")), rows(odd, ""));
        Path time = write("2026-11-29T12:00:00.csv", "text,label\na,x\n");
        assertEquals(List.of(Map.of("text", "a", "label", "x")), rows(time, ""));
    }

    @Test
    void takesLabelsFromFileOrFolderNames() throws IOException {
        Path file = Files.createDirectories(folder.resolve("spam")).resolve("mail.1.txt");
        Files.writeString(file, "one\n\n two \n");
        List<Row> lines = read(file, "");
        assertEquals(
                List.of("one", "two"),
                lines.stream().map(row -> row.value("text")).toList());
        assertEquals("mail", lines.get(0).value("label"));
        assertTrue(
                lines.get(1).place().endsWith("mail.1.txt, row at 3"),
                lines.get(1).place());
        Row whole = read(file, "format = files").get(0);
        assertEquals("one\n\n two \n", whole.value("text"));
        assertEquals("spam", whole.value("label"));
    }

    private static Dataset<org.apache.spark.sql.Row> sample() {
        return session.sql()
                .sql("SELECT * FROM VALUES ('one, \"two\"', 'x'), ('w\u00f6rter', 'y') AS logs(text, label)");
    }

    private static Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static void assertMalformed(String problem, Row row) {
        assertEquals(
                problem,
                assertThrows(MalformedRowException.class, () -> row.value("text"))
                        .getMessage());
    }

    private static void assertProblem(Path path, String corpus, String expected) {
        assertProblem("path = \"" + path + "\", " + corpus, expected);
    }

    private static void assertProblem(String corpus, String expected) {
        String problem = assertThrows(UnrollException.class, () -> read(settings(corpus), "text", "label"))
                .getMessage();
        assertTrue(problem.contains(expected), problem);
    }

    private static List<Map<String, String>> rows(Path path, String corpus) {
        return rows("path = \"" + path + "\", " + corpus);
    }

    private static List<Map<String, String>> rows(String corpus) {
        return read(settings(corpus), "text", "label").stream()
                .map(row -> Map.of("text", row.value("text"), "label", row.value("label")))
                .sorted(Comparator.comparing(row -> row.get("label")))
                .toList();
    }

    /** @return the rows of a path; malformed ones first */
    private static List<Row> read(Path path, String corpus) {
        return read(settings(path, corpus), "text", "label").stream()
                .sorted(Comparator.comparing((Row row) -> row.problem() == null))
                .toList();
    }

    private static List<Row> read(Settings settings, String... fields) {
        RowSource source = new RowSource(session, settings.corpus(), List.of(fields), true);
        return session
                .mapPartitions("read", source.rows(), rows -> {
                    List<Row> list = new java.util.ArrayList<>();
                    rows.forEachRemaining(list::add);
                    return list;
                })
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    private static Settings settings(Path path, String corpus) {
        return settings("path = \"" + path + "\", " + corpus);
    }

    private static Settings settings(String corpus) {
        return SettingsReader.parse("task = classification, run.directory = r, corpus { " + corpus + " }", "test");
    }
}
