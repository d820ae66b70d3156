package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
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
import java.util.HashMap;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables in an unexpected format, and rows and words that are too long. */
class BadRowsTest {
    private static final List<String> FORMATS = List.of("csv", "tsv", "lines", "files");

    @TempDir
    private Path folder;

    @Test
    void skipsTheByteOrderMark() throws IOException {
        String csv = "\uFEFFtext,label\na,x\n";
        assertEquals("a", read("csv", "a.csv", csv).get(0).value("text"));
        assertEquals("a", read("tsv", "a.tsv", csv.replace(',', '\t')).get(0).value("text"));
        assertEquals("text,label", read("lines", "a.txt", csv).get(0).value("text"));
        assertEquals("text,label\na,x\n", read("files", "a.txt", csv).get(0).value("text"));
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve("b.csv.gz")))) {
            out.write(csv.getBytes(StandardCharsets.UTF_8));
        }
        assertEquals("a", read("auto", folder.resolve("b.csv.gz")).get(0).value("text"));
    }

    @Test
    void otherEncodingsAreNamedInEveryFormat() throws IOException {
        Path file = folder.resolve("a.csv");
        Files.write(file, "text,label\na,x\n".repeat(9).getBytes(StandardCharsets.UTF_16));
        for (String format : FORMATS) {
            String problem = assertThrows(UnrollException.class, () -> read(format, file))
                    .getMessage();
            assertTrue(problem.contains("a.csv is text in UTF-16BE, not in UTF-8"), problem);
        }
    }

    @Test
    void tooLongValueMakesOnlyItsRowMalformed() throws IOException {
        for (int length : new int[] {Row.MAX_CHARACTERS + 1, 20_000_000}) {
            String text = "z".repeat(length);
            List<List<Row>> tables = new ArrayList<>(List.of(
                    read("tsv", "a.tsv", "text\tlabel\n" + text + "\tx\nb\ty\n"),
                    read("lines", "a.txt", text + "\nb\n"),
                    List.of(
                            read("files", "a.txt", text).get(0),
                            read("files", "b.txt", "b").get(0))));
            if (length < 16_000_000) {
                tables.add(read("csv", "a.csv", "text,label\n" + text + ",x\nb,y\n"));
            }
            for (List<Row> rows : tables) {
                String problem = assertThrows(
                                MalformedRowException.class, () -> rows.get(0).value("text"))
                        .getMessage();
                assertTrue(
                        problem.matches("its text has \\d+ characters; the maximum is 1048576: .*"
                                + "|it is longer than 16777216 bytes, the maximum of a row"),
                        problem);
                assertEquals("b", rows.get(1).value("text"));
            }
        }
    }

    @Test
    void endlessRowIsNamed() {
        for (String row : List.of("z".repeat(20_000_000) + ",x\n", "\"z\n" + "a,b\n".repeat(5_000_000))) {
            String problem = assertThrows(UnrollException.class, () -> read("csv", "a.csv", "text,label\na,x\n" + row))
                    .getMessage();
            assertTrue(
                    problem.contains("a.csv, row at 3: it is longer than 16777216 bytes, the maximum of a row"),
                    problem);
        }
        String problem = assertThrows(
                        ConfigurationException.class, () -> read("tsv", "a.tsv", "z".repeat(20_000_000) + "\n"))
                .getMessage();
        assertTrue(problem.contains("a.tsv has no usable header row: "), problem);
    }

    @Test
    void tooLongWordIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "a b " + "z".repeat(1 << 17) + " c\n");
        Tokenizer tokenizer = new WordTokenizer(1, 0, Settings.Malformed.ERROR);
        try (SliceInput in = SliceInput.open(
                new Slice(file.toString(), 0, Files.size(file), false), Slice.Boundary.LINE, new Configuration())) {
            String problem = assertThrows(UnrollException.class, () -> tokenizer.count(in, new HashMap<>()))
                    .getMessage();
            assertTrue(
                    problem.contains("a.txt contains a word of more than 65536 characters, which starts with zzz"),
                    problem);
        }
        assertThrows(UnrollException.class, () -> tokenizer.symbols("z".repeat(1 << 17)));
    }

    @Test
    void wrongSeparatorOrHeaderGetsAHint() {
        assertHint(
                "csv",
                "text;label\na;x\n",
                "Its values seem to be separated by \";\", but only commas (csv) and tabs (tsv)");
        assertHint("csv", "text|label\na|x\n", "Its values seem to be separated by \"|\"");
        assertHint("csv", "text\tlabel\na\tx\n", "separated by tabs: set corpus.format = tsv.");
        assertHint("tsv", "text,label\na,x\n", "separated by \",\": set corpus.format = csv.");
        assertHint("csv", "ham,hello\nspam,buy\n", "If the file has no header row, set corpus.header = false");
        assertHint("csv, header = false, columns { text = 1, label = 2 }", "a;x\nb;y\n", "separated by \";\"");
    }

    private void assertHint(String format, String content, String hint) {
        String problem = assertThrows(ConfigurationException.class, () -> read(format, "a.csv", content))
                .getMessage();
        assertTrue(problem.contains(hint), problem);
    }

    @Test
    void tsvRowWithTooManyTabsGetsATsvHint() throws IOException {
        List<Row> rows = read("tsv", "a.tsv", "text\tlabel\na\tx\ty\n");
        String problem = assertThrows(
                        MalformedRowException.class, () -> rows.get(0).value("text"))
                .getMessage();
        assertEquals("it has 3 columns, but the file's first row has 2: in TSV, a value cannot contain a tab", problem);
    }

    @Test
    void mixedFileTypesAreRejected() {
        for (String other : List.of("README.md", "notes", "labels.txt", "b.json", "b.xlsx")) {
            String problem = problem("auto", "a.csv", other);
            assertTrue(problem.contains(other + " is not a table, unlike a.csv: exclude it with a pattern"), problem);
            assertTrue(problem.contains("or set corpus.format"), problem);
        }
        for (String other :
                List.of("a.jsonl", "a.json", "a.ndjson.gz", "a.xlsx", "a.xml", "a.orc", "a.pdf", "a.JSON")) {
            String problem = problem("auto", "a.txt", other);
            assertTrue(problem.contains(other + " is neither a table nor plain text"), problem);
        }
        assertDoesNotThrow(() -> check("auto", "a.csv", "b.tsv.gz", "c.parquet", "part-0.c000.snappy.parquet"));
        assertDoesNotThrow(() -> check("auto", "German.txt", "names.en", "z", "mail.1"));
        assertDoesNotThrow(() -> check("lines", "a.jsonl", "b.csv"));
        assertTrue(problem("lines", "a.jsonl.zst").contains("a.jsonl.zst is in a compression"));
    }

    private static String problem(String format, String... names) {
        return assertThrows(ConfigurationException.class, () -> check(format, names))
                .getMessage();
    }

    private static void check(String format, String... names) {
        format(format)
                .check(List.of(names).stream()
                        .map(name -> new Slice(name, 0, 1, name.endsWith(".gz")))
                        .toList());
    }

    private static RowFormat format(String format) {
        Settings settings =
                SettingsReader.parse("run.directory = r, corpus { path = p, format = " + format + " }", "test");
        return new RowFormat(settings.corpus(), List.of("text", "label"));
    }

    private List<Row> read(String format, String name, String content) throws IOException {
        Path file = Files.writeString(folder.resolve(name), content);
        return read(format, file);
    }

    private static List<Row> read(String format, Path file) throws IOException {
        List<Row> rows = new ArrayList<>();
        Slice slice =
                new Slice("file:" + file, 0, Files.size(file), file.toString().endsWith(".gz"));
        format(format).read(slice, new Configuration(), rows::add);
        return rows;
    }
}
