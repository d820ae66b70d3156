package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.chunk.SequenceReader;
import io.unroll.chunk.Split;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import io.unroll.inference.Sampler;
import io.unroll.task.Prompt;
import io.unroll.task.Score;
import io.unroll.task.Task;
import io.unroll.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Language models of documents: rows, files, and sessions of rows. */
class DocumentsIT extends LocalSparkSession {
    private static final String DOCUMENTS = "documents = reset, validation = 0, test = 0";

    @Test
    void eachLineOrFileIsADocument() throws IOException {
        Path lines = write("lines.txt", "ab\nba\n\nab\n");
        assertEquals(List.of("ab", "ab", "ba"), documents(path(lines), DOCUMENTS, Section.TRAINING));
        Path files = Files.createDirectories(folder.resolve("files"));
        Files.writeString(files.resolve("1.txt"), "a\nb");
        Files.writeString(files.resolve("2.txt"), "b");
        assertEquals(List.of("a\nb", "b"), documents(path(files), DOCUMENTS + ", format = files", Section.TRAINING));
    }

    /** In whatever order and partitions Spark reads the events. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void sessionsOfShuffledEventsAreThoseOfFiles(int partitions) throws IOException {
        List<String> events = new ArrayList<>();
        StringBuilder sessions = new StringBuilder();
        for (int host = 0; host < 20; host++) {
            List<String> texts = new ArrayList<>();
            for (int event = 0; event < 12; event++) {
                String text = "e" + (host * event) % 7;
                texts.add(text);
                events.add("('" + text + "', 'host" + host + "', " + event + ")");
            }
            sessions.append(String.join("|", texts)).append('\n');
        }
        Collections.shuffle(events, new Random(partitions));
        session.sql()
                .sql("SELECT * FROM VALUES " + String.join(", ", events) + " AS events(text, host, number)")
                .repartition(partitions)
                .createOrReplaceTempView("events");

        List<String> found = documents(
                "table = events",
                "validation = 0, test = 0, columns { document = host, order = number }",
                Section.TRAINING);

        assertEquals(sessions.toString().lines().sorted().toList(), found);
    }

    @Test
    void aLongGapBeginsANewSession() throws IOException {
        Path file = write(
                "gaps.csv",
                "text,host,time\na,x,2026-11-01T10:00:00Z\nd,x,2026-11-01T11:00:00Z\nb,x,2026-11-01T10:29:59\n"
                        + "c,x,2026-11-01T10:59:59.5Z\ne,y,2026-11-01\n");
        String columns = "validation = 0, test = 0, columns { document = host, order = time }";
        assertEquals(
                List.of("a|b", "c|d", "e"),
                documents(path(file), columns + ", format = csv, session-gap = 30m", Section.TRAINING));
        Path bad = write("bad-times.csv", "text,host,time\na,x,today\nb,x,tomorrow\n");
        String problem = assertThrows(
                        UnrollException.class,
                        () -> documents(path(bad), columns + ", format = csv, session-gap = 1h", Section.TRAINING))
                .getMessage();
        assertTrue(
                problem.contains("order = today: its order, today, is not a time such as 2026-11-01 10:00:00"),
                problem);
        PreparedCorpus skipped = prepare(
                path(write("some-bad-times.csv", "text,host,time\na,x,today\nb,x,2026-11-01\nc,x,2026-11-02\n")),
                columns + ", format = csv, session-gap = 1h, malformed = skip");
        assertEquals(Map.of("its order is not a time", 1L), skipped.size().skipped());
        assertEquals(2L, skipped.size().counts().get("examples"));
    }

    /** A separator in the text of a row does not divide it. */
    @Test
    void rowsOfASessionAreSeparatedByNothingElse() throws IOException {
        Path file = write("separators.csv", "text,host,time\na\u001Eb,x,1\nc,x,2\n");
        assertEquals(
                List.of("a b|c"),
                documents(
                        path(file),
                        "format = csv, validation = 0, test = 0, columns { document = host, order = time }",
                        Section.TRAINING));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            columns.document = host                | corpus.columns.document is host; it must be empty, unless
            documents = reset, split-by = order    | corpus.split-by is order; it must be another value, unless
            columns { document = host, order = no.time }           | has no column no.time (corpus.columns.order); its columns are host, text, time.
            documents = reset, malformed = skip, columns.text = no | contains no usable rows; 1 rows are malformed: 1 x the row has no text.
            split-by = row, columns.order = time   | corpus.split-by is row, but the corpus is one text
            documents = reset, split-by = contnet  | has no column contnet (corpus.split-by); its columns are host, text, time.
            documents = reset, validation = 0.7    | none can be held out: the rows are too few
            """)
    void settingsThatDoNotFitAreRefused(String corpus, String message) throws IOException {
        String row = "{\"text\": \"ab\", \"host\": \"x\", \"time\": 1}\n";
        Path file = write("misfit.json", row);
        String problem = message(() -> prepare(path(file), "format = json, " + corpus));
        assertTrue(problem.contains(message), problem);
    }

    @Test
    void plainTextHasNeitherOptionsNorColumns() throws IOException {
        Path file = write("options.txt", "ab\n");
        String column = message(() -> prepare(path(file), "columns.text = message"));
        assertTrue(column.contains("is read as one text, which has no columns"), column);
        for (String corpus : List.of("", ", documents = reset")) {
            String problem = message(() -> prepare(path(file), "options.encoding = UTF-16" + corpus));
            assertTrue(problem.contains("is plain text, which Unroll reads itself"), problem);
        }
    }

    /** Logs are mostly copies. */
    @Test
    void copiesAreDistributedByRowOrStayTogether() throws IOException {
        Path copies = write("copies.txt", "a\nb\n".repeat(500));
        String shares = "documents = reset, validation = 0.2, test = 0.1, split-by = ";
        List<String> validation = documents(path(copies), shares + "row", Section.VALIDATION);
        assertEquals(200, validation.size(), 3);
        long a = validation.stream().filter("a"::equals).count();
        assertTrue(a > 60 && a < 140, a + " of " + validation.size());
        assertEquals(
                700, documents(path(copies), shares + "row", Section.TRAINING).size(), 3);
        String problem = assertThrows(
                        ConfigurationException.class,
                        () -> documents(path(copies), shares + "content", Section.VALIDATION))
                .getMessage();
        assertTrue(problem.contains("duplicates"), problem);
    }

    @Test
    void holdsOutTheLatestRowsOrThoseThatAColumnNames() throws IOException {
        String rows = IntStream.range(0, 100)
                .mapToObj(i -> "t" + i + "," + (i * 37 % 100) + "," + (i < 90 ? "train" : "test"))
                .collect(Collectors.joining("\n"));
        Path file = write("ordered.csv", "text,time,part\n" + rows + "\n");
        String order =
                "format = csv, documents = reset, validation = 0.2, test = 0.1, columns.order = time, split-by = ";
        List<String> test = IntStream.range(0, 100)
                .filter(i -> i * 37 % 100 >= 90)
                .mapToObj(i -> "t" + i)
                .sorted()
                .toList();
        assertEquals(test, documents(path(file), order + "order", Section.TEST));
        assertEquals(
                20, documents(path(file), order + "order", Section.VALIDATION).size());
        assertEquals(
                IntStream.range(90, 100).mapToObj(i -> "t" + i).toList(),
                documents(
                        path(file), "format = csv, documents = reset, validation = 0, split-by = part", Section.TEST));
    }

    @Test
    void partThatAColumnNamesMustBeKnownAndExist() throws IOException {
        Path file = write("parts.csv", "text,part\n" + "a,train\nb,test\n".repeat(20) + "c,later\n");
        String byColumn = "format = csv, documents = reset, split-by = part";
        String unknown = message(() -> prepare(path(file), byColumn));
        assertTrue(unknown.contains("text = c, split = later: its part, later (corpus.split-by), is not"), unknown);
        String none = message(() -> prepare(path(file), byColumn + ", malformed = skip"));
        assertTrue(none.contains("no row has the value validation in the column part"), none);
        PreparedCorpus corpus = prepare(path(file), byColumn + ", malformed = skip, validation = 0");
        assertEquals(Map.of("its part is unknown", 1L), corpus.size().skipped());
    }

    private static String message(Executable preparation) {
        return assertThrows(UnrollException.class, preparation).getMessage();
    }

    /** The sessions of a table are those of files with one line for each event, and need no column for the split. */
    @Test
    void evaluatesTheDocumentsOfFilesThatAreNotSplit() throws IOException {
        Path training = write(
                "sessions.csv",
                "text,host,time,part\n"
                        + IntStream.range(0, 60)
                                .mapToObj(i -> "ab,h" + i % 30 + "," + i + "," + (i % 30 < 28 ? "train" : "validation"))
                                .collect(Collectors.joining("\n"))
                        + "\n");
        TrainedModel model = new TestRuns(session)
                .train(
                        """
                run.directory = "%1$s/sessions"
                corpus {
                  path = "%2$s", format = csv, split-by = part
                  columns { document = host, order = time }
                }
                model { hidden = 8, layers = 1 }
                training { epochs = 1, batch = 4, tbptt = 8 }
                """
                                .formatted(folder, training));
        Path others = write("others.csv", "text,host,time\nab,x,1\nab,y,1\nab,x,2\nab,y,2\n");
        Score score =
                Evaluation.of(session, model, List.of(others.toString()), 1).orElseThrow();
        // Each of the two documents is a b <sep> a b <end>.
        assertEquals(2 * 6, score.loss().tokens());
        Score part = Evaluation.ofPart(session, model, Split.Part.VALIDATION, 1).orElseThrow();
        assertEquals(part.loss().mean(), score.loss().mean(), 1e-6);
    }

    @Test
    void tableThatIsOneTextNeedsAnOrder() throws IOException {
        Path file = write("stream.csv", "text,time\nb,2\nc,10\na,1\n");
        PreparedCorpus corpus = prepare(path(file), "format = csv, validation = 0, test = 0, columns.order = time");
        assertEquals(6L, corpus.size().counts().get("tokens"));
        Path plain = write("stream.txt", "a\nb\nc\n");
        assertEquals(
                corpus.vocabularies().symbols(),
                prepare(path(plain), "validation = 0, test = 0").vocabularies().symbols());
        String problem = assertThrows(ConfigurationException.class, () -> prepare(path(file), "format = csv"))
                .getMessage();
        assertTrue(problem.contains("corpus.columns.order is not set"), problem);
    }

    /** A table of the same rows is the same corpus, however it is partitioned. */
    @Test
    void tableGivesTheSameBitsAsAFile() throws IOException {
        List<String> lines = IntStream.range(0, 400)
                .mapToObj(i -> "row " + i * i % 97 + " of " + i % 13)
                .toList();
        Path file = write("same.txt", String.join("\n", lines) + "\n");
        List<String> shuffled = new ArrayList<>(lines);
        Collections.shuffle(shuffled, new Random(1));
        session.sql()
                .sql("SELECT * FROM VALUES ('" + String.join("'), ('", shuffled) + "') AS same(text)")
                .repartition(9)
                .createOrReplaceTempView("same");
        byte[] first = train("file", path(file));
        assertArrayEquals(first, train("table", "table = same"));
        assertArrayEquals(first, train("query", "query = \"SELECT text FROM same WHERE text IS NOT NULL\""));
        assertFalse(prepare(path(file), "documents = reset").found());
        assertTrue(prepare("table = same", "documents = reset").found());
    }

    private static byte[] train(String run, String source) throws IOException {
        new TestRuns(session)
                .train(
                        """
                run.directory = "%1$s/run-%2$s"
                corpus { %3$s, documents = reset, validation = 0.1, prepared = "%1$s/prepared-%2$s" }
                model { hidden = 8, layers = 1 }
                training { epochs = 1, batch = 4, tbptt = 8 }
                """
                                .formatted(folder, run, source));
        return Files.readAllBytes(folder.resolve("run-" + run + "/model/network.zip"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                DOCUMENTS,
                "columns.order = id, validation = 0, test = 0",
                "columns { document = host, order = id }, validation = 0, test = 0"
            })
    void rowsThatChangeBetweenPassesAreReported(String corpus) {
        String rows = "SELECT id, id % 5 AS host, reflect('java.util.UUID', 'randomUUID') AS text FROM range(50)";
        String problem = message(() -> prepare("query = \"" + rows + "\"", corpus));
        assertTrue(problem.contains("had other rows when it was read again"), problem);
    }

    /** The documents are longer than a chunk, so the state is carried over several of them, and reset between. */
    @Test
    void learnsWhereDocumentsBeginAndEnd() throws IOException {
        Path file = write("words.txt", "abcdefghijklmnopqrst\n".repeat(400));
        TrainedModel model = new TestRuns(session)
                .train(
                        """
                run.directory = "%1$s/ends"
                corpus { path = "%2$s", documents = reset, validation = 0.1, test = 0 }
                model { hidden = 16, layers = 1 }
                training { epochs = 6, batch = 8, tbptt = 8, learning-rate = 0.02 }
                """
                                .formatted(folder, file));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Prompt prompt = new Prompt("abc", 100, new Sampler(0, 0, 1, 1)::draw);
        assertEquals(18, model.answer(prompt, out));
        assertEquals("abcdefghijklmnopqrst", out.toString(StandardCharsets.UTF_8));
        assertTrue(
                model.manifest().validationLoss() < 0.05, "" + model.manifest().validationLoss());
    }

    /** @return the texts of the prepared documents, sorted; separators are shown as | */
    private static List<String> documents(String source, String corpus, Section section) throws IOException {
        PreparedCorpus prepared = prepare(source, corpus);
        ExampleSource examples = (ExampleSource) prepared.source();
        Vocabulary vocabulary = prepared.vocabularies().tokens();
        List<Section> sections = List.of(Section.TRAINING, Section.VALIDATION, Section.TEST);
        long before = sections.subList(0, sections.indexOf(section)).stream()
                .mapToLong(examples.store().index()::sequences)
                .sum();
        try (SequenceReader reader = examples.store().open(session.hadoop())) {
            return reader.examples(before, before + examples.store().index().sequences(section)).stream()
                    .map(example -> IntStream.of(example.target())
                            .mapToObj(vocabulary::symbol)
                            .collect(Collectors.joining())
                            .replace("<sep>", "|"))
                    .sorted()
                    .toList();
        }
    }

    private static PreparedCorpus prepare(String source, String corpus) throws IOException {
        Settings settings = SettingsReader.parse(
                "run.directory = \"" + folder.resolve("run") + "\", corpus { " + source + " }, corpus { " + corpus
                        + " }",
                "test");
        return CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
    }

    private static String path(Path path) {
        return "path = \"" + path + "\"";
    }

    private static Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }
}
