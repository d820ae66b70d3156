package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowFormatTest {
    @TempDir
    private Path folder;

    @Test
    void readsCsvWithQuotesLineEndsInValuesAndNamedColumns() throws IOException {
        List<Row> rows =
                rows("a.csv", "\uFEFFid,label,text\r\n1,x,\"one, two\"\r\n2,y,\"a \"\"b\"\"\r\nc\"\r\n3,z\r\n4,,e\r\n");

        assertEquals(
                List.of("one, two", "a \"b\"\r\nc"),
                rows.subList(0, 2).stream().map(row -> row.value("text")).toList());
        assertEquals(List.of(2L, 3L, 5L, 6L), rows.stream().map(Row::number).toList());
        assertMalformed("the row has no text", rows.get(2), "text");
        assertEquals("", rows.get(3).value("label"));
    }

    /** For example after concatenating files from several systems. */
    @Test
    void readsCsvWithMixedLineEnds() throws IOException {
        List<Row> rows = rows("a.csv", "\ntext,label\r\n\r\na,x\nb,\"\"\r\n\n\"\"\"c\"\", d\",y\re \"f,z");

        assertEquals(
                List.of("a", "b", "\"c\", d", "e \"f"),
                rows.stream().map(row -> row.value("text")).toList());
        assertEquals("", rows.get(1).value("label"));
        assertEquals(
                List.of("x", "y", "z"),
                Stream.of(0, 2, 3).map(i -> rows.get(i).value("label")).toList());
        assertEquals(List.of(4L, 5L, 7L, 8L), rows.stream().map(Row::number).toList());
    }

    @Test
    void unclosedQuotationMarkIsReported() throws IOException {
        for (String content : List.of(
                "label,text\nx,a\ny,\"b\nx,c\nx,d\n",
                "text,label\na,x\n\"b,y\nc,x\nd,x",
                "text,label\na,x\n\"b,y\nc,x\n\"d\",x\n",
                "label,text\nx,a\ny,\"b\nx,\"d\"\nx,\"\"\n",
                "text,label\na,x\n\"a\" b,x\n",
                "label,text\na,x\nx,\"")) {
            UnrollException e = assertThrows(UnrollException.class, () -> rows("a.csv", content));
            assertTrue(e.getMessage().contains("a.csv, row at 3: a quotation mark"), e.getMessage());
        }
    }

    @Test
    void rowWithTooManyColumnsIsMalformed() throws IOException {
        List<Row> rows = rows("a.csv", "text,label\nWell, yes,x\na,x,\n\"a, b\",x\n");

        String tooMany = "it has 3 columns, but the file's first row has 2: ";
        assertTrue(problem(rows.get(0), "text").startsWith(tooMany), problem(rows.get(0), "label"));
        assertEquals("a", rows.get(1).value("text"));
        assertEquals("a, b", rows.get(2).value("text"));
    }

    @Test
    void quotedValuesCanBeEmptyOrStartWithSeparators() throws IOException {
        List<Row> rows =
                rows("a.csv", "\"label\",\"text\"\n\"\",\", he said\"\n\"\"\"\",\"\nfoo\"\n\"x\", \n\"\",\",\" \n");

        assertEquals(
                List.of("=, he said", "\"=\nfoo", "x= ", "=,"),
                rows.stream()
                        .map(row -> row.value("label") + "=" + row.value("text"))
                        .toList());
    }

    @Test
    void skipsEmptyFirstLineOfTsv() throws IOException {
        List<Row> rows = rows("a.tsv", "\ntext\tlabel\nfoo\tA\n");

        assertEquals(1, rows.size());
        assertEquals("foo", rows.get(0).value("text"));
    }

    @Test
    void readsTsvWithoutQuotesAndWithColumnNumbers() throws IOException {
        Path file = folder.resolve("a.tsv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write("\"a\tx\nb\ty\n\nc\n".getBytes(StandardCharsets.UTF_8));
        }

        List<Row> rows = read(file, "header = false, columns { text = 1, label = 2 }");

        assertEquals("\"a", rows.get(0).value("text"));
        assertEquals("y", rows.get(1).value("label"));
        assertEquals(4, rows.get(2).number());
        assertMalformed("the row has no label", rows.get(2), "label");
    }

    @Test
    void withoutHeaderTheFirstUsableRowSetsTheColumnCount() throws IOException {
        Path file = folder.resolve("a.tsv");
        Files.writeString(file, "a\nb\tx\nc\ty\tz\n");

        List<Row> rows = read(file, "header = false, columns { text = 1, label = 2 }");

        assertMalformed("it has no column 2 (corpus.columns.label, with corpus.header = false)", rows.get(0), "text");
        assertEquals("x", rows.get(1).value("label"));
        assertTrue(
                problem(rows.get(2), "text").startsWith("it has 3 columns, but the file's first usable row has 2: "),
                problem(rows.get(2), "text"));
        String none = assertThrows(
                        ConfigurationException.class,
                        () -> read(file, "header = false, columns { text = 1, label = 4 }"))
                .getMessage();
        assertTrue(none.endsWith("a.tsv has a column 4 (corpus.columns.label, with corpus.header = false)."), none);
    }

    @Test
    void rejectsNulBytes() throws IOException {
        List<Row> rows = rows("a.csv", "text,label\na\0b,x\n");

        assertMalformed("its text contains a NUL byte", rows.get(0), "text");
        assertEquals("x", rows.get(0).value("label"));
    }

    @Test
    void readsParquetWithNulls() throws IOException {
        Path file = folder.resolve("a.parquet");
        MessageType schema =
                MessageTypeParser.parseMessageType("message m { optional binary text (UTF8); required int32 label; }");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
                .withType(schema)
                .build()) {
            Group first = new SimpleGroup(schema);
            first.add("text", "w\u00f6rter");
            first.add("label", 7);
            writer.write(first);
            Group second = new SimpleGroup(schema);
            second.add("label", 8);
            writer.write(second);
        }

        List<Row> rows = read(file, "");

        assertEquals("w\u00f6rter", rows.get(0).value("text"));
        assertEquals("7", rows.get(0).value("label"));
        assertMalformed("the row has no text", rows.get(1), "text");
    }

    @Test
    void takesLabelsFromFileOrFolderNames() throws IOException {
        Path file = Files.createDirectories(folder.resolve("spam")).resolve("mail.1.txt");
        Files.writeString(file, "one\n\n two \n");

        List<Row> lines = read(file, "");
        List<Row> files = read(file, "format = files");

        assertEquals(
                List.of("one", "two"),
                lines.stream().map(row -> row.value("text")).toList());
        assertEquals("mail", lines.get(0).value("label"));
        assertEquals(3, lines.get(1).number());
        assertEquals("one\n\n two \n", files.get(0).value("text"));
        assertEquals("spam", files.get(0).value("label"));
    }

    @Test
    void missingColumnIsReportedWithTheExistingOnes() throws IOException {
        Path file = folder.resolve("a.csv");
        Files.writeString(file, "message,kind\na,b\n");

        ConfigurationException e = assertThrows(ConfigurationException.class, () -> read(file, "columns.label = kind"));

        assertTrue(
                e.getMessage()
                        .contains("a.csv has no column text (corpus.columns.text); its columns are message, kind."),
                e.getMessage());
    }

    private static void assertMalformed(String message, Row row, String field) {
        assertEquals(message, problem(row, field));
    }

    private static String problem(Row row, String field) {
        return assertThrows(MalformedRowException.class, () -> row.value(field)).getMessage();
    }

    private List<Row> rows(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, content);
        return read(file, "");
    }

    private static List<Row> read(Path file, String corpus) throws IOException {
        Settings settings =
                SettingsReader.parse("run.directory = r, corpus { path = p }, corpus { " + corpus + " }", "test");
        List<Row> rows = new ArrayList<>();
        Slice slice = new Slice(
                file.toUri().toString(), 0, Files.size(file), file.toString().endsWith(".gz"));
        new RowFormat(settings.corpus(), List.of("text", "label")).read(slice, new Configuration(), rows::add);
        return rows;
    }
}
