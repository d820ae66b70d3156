package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.unroll.Unroll.Output;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands score, predict and embed. */
class ScoreIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private static Path folder;

    @BeforeAll
    static void train() throws IOException {
        String rows = IntStream.range(0, 300)
                .mapToObj(i -> "{\"event\": {\"text\": \"open " + i % 9 + " read close\"}, \"id\": " + i + "}")
                .collect(Collectors.joining("\n"));
        Files.writeString(folder.resolve("train.jsonl"), rows);
        Files.writeString(
                folder.resolve("test.jsonl"),
                """
                {"event": {"text": "open 3 read close"}, "id": 1, "label": "normal", "day": "a"}
                {"event": {"text": "open 4 read close"}, "id": 2, "label": "normal", "day": "a"}
                {"event": {"text": "close read 4 open"}, "id": 3, "label": "attack", "day": "b"}
                {"event": {"text": " "}, "id": 4, "label": "normal", "day": "b"}
                {"event": {"text": null}, "id": 5, "day": "b"}
                {"event": {"text": "open
                """);
        Files.writeString(
                folder.resolve("score.conf"),
                """
                run.directory = "%1$s/run"
                corpus {
                  path = "%1$s/train.jsonl", columns.text = event.text, documents = reset, tokenizer = word
                  validation = 0.1, test = 0.2
                }
                model { hidden = 16, layers = 1 }
                training { epochs = 20, batch = 4, learning-rate = 0.02 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        succeeded("train", "FOLDER/score.conf");
    }

    private static Output run(String... arguments) {
        return InProcess.unroll(Arrays.stream(arguments)
                .map(argument -> argument.replace("FOLDER", folder.toString()))
                .toArray(String[]::new));
    }

    private static Output succeeded(String... arguments) {
        Output output = run(arguments);
        assertEquals(0, output.status(), output.err());
        return output;
    }

    private static void assertRefused(String message, String... arguments) {
        Output refused = run(arguments);
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains(message), refused.err());
        assertFalse(refused.err().contains("\tat "), refused.err());
    }

    /** @return the rows of a folder of JSON files, by id */
    private static List<JsonNode> rows(String name) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : lines(name, ".json")) {
            rows.add(MAPPER.readTree(line));
        }
        rows.sort(Comparator.comparing(row -> row.path("id").asInt(99)));
        return rows;
    }

    /** @return the lines of the files in a folder, sorted */
    private static List<String> lines(String name, String ending) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder.resolve(name))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(ending)).toList()) {
                lines.addAll(Files.readAllLines(file));
            }
        }
        return lines.stream().sorted().toList();
    }

    @Test
    void rowsAreScoredWithAllTheirColumns() throws IOException {
        Output output = succeeded(
                "score",
                "FOLDER/run",
                "FOLDER/test.jsonl",
                "--out",
                "FOLDER/scored",
                "--format",
                "json",
                "--bits",
                "--json");
        List<JsonNode> rows = rows("scored");
        assertEquals(6, rows.size());
        JsonNode normal = rows.get(0);
        assertEquals("open 3 read close", normal.get("event").get("text").asText());
        assertEquals("a", normal.get("day").asText());
        assertEquals(5, normal.get("tokens").asInt());
        assertEquals(5, normal.get("bits").size());
        assertEquals("3", normal.get("max_token").asText());
        assertEquals(1, normal.get("max_position").asInt());
        assertEquals("open 3 read close", normal.get("max_context").asText());
        assertFalse(normal.get("anomaly").asBoolean());
        JsonNode attack = rows.get(2);
        assertTrue(attack.get("score").asDouble() > 3 * normal.get("score").asDouble());
        assertTrue(attack.get("anomaly").asBoolean());
        assertEquals(5, attack.get("expected").size());
        assertEquals("empty", rows.get(3).get("unscored").asText());
        assertEquals("null", rows.get(4).get("unscored").asText());
        assertEquals("malformed", rows.get(5).get("unscored").asText());
        assertFalse(rows.get(5).has("_corrupt_record"), "one malformed row would change the columns of the output");

        JsonNode counts = output.json();
        assertEquals(0, counts.get("unknown_share").asDouble());
        assertEquals(0, counts.get("reference").get("unknown_share").asDouble());
        assertEquals(6, counts.get("rows").asInt());
        assertEquals(3, counts.get("scored").asInt());
        assertEquals(1, counts.get("unscored").get("empty").asInt());
        assertEquals(1, counts.get("alarms").asInt());
        assertEquals(60, counts.get("reference").get("rows").asInt());
        assertEquals("test", counts.get("reference").get("origin").asText());
        assertEquals(1, counts.get("labels").get("anomalous").asInt());
        assertEquals(1, counts.get("thresholds").get(0).get("f1").asDouble());
        assertEquals("chosen", counts.get("thresholds").get(0).get("by").asText());
        assertEquals(0.9, counts.get("thresholds").get(1).get("level").asDouble());
        assertTrue(output.err().contains("the quantile 0.999 of 60 reference rows is inaccurate"), output.err());
    }

    @Test
    void thresholdsAreChosenByTheUser() throws IOException {
        String[] score = {
            "score", "FOLDER/run", "FOLDER/test.jsonl", "--format", "json", "--json", "--mode", "overwrite"
        };
        JsonNode ranks =
                succeeded(with(score, "--out", "FOLDER/ranks", "--top-g", "14")).json();
        assertEquals(14, ranks.get("threshold").asDouble());
        assertEquals(0, ranks.get("alarms").asInt());
        JsonNode fixed = succeeded(with(score, "--out", "FOLDER/fixed", "--threshold", "0.001"))
                .json();
        assertEquals(3, fixed.get("alarms").asInt());
        JsonNode other = succeeded(
                        with(score, "--out", "FOLDER/other", "--reference", "FOLDER/train.jsonl", "--quantile", "0.9"))
                .json();
        assertEquals(300, other.get("reference").get("rows").asInt());
        assertEquals(other.get("threshold"), rows("other").get(0).get("threshold"));
        assertRefused(
                "--quantile and --top-g are given",
                with(score, "--out", "FOLDER/x", "--top-g", "2", "--quantile", "0.5"));
        assertRefused("--threshold is NaN; it must be", with(score, "--out", "FOLDER/x", "--threshold", "NaN"));
        assertRefused("--table is scored, but Spark's catalog is in memory", with(score, "--table", "scored"));
        assertRefused(
                "--quantile is 1.5; it must be above 0 and below 1",
                with(score, "--out", "FOLDER/x", "--quantile", "1.5"));
    }

    @Test
    void labelsOfANestedColumnAreCompared() throws IOException {
        JsonNode counts = succeeded(
                        "score",
                        "FOLDER/run",
                        "corpus.query=SELECT event, struct(label) AS meta FROM json.`FOLDER/test.jsonl`",
                        "corpus.columns.label=meta.label",
                        "--out",
                        "FOLDER/nested-labels",
                        "--json")
                .json();
        assertEquals(
                Map.of("anomalous", 1, "normal", 2, "none", 0), MAPPER.convertValue(counts.get("labels"), Map.class));
        assertEquals(1, counts.get("thresholds").get(0).get("recall").asDouble());
    }

    /** Unknown words are counted, and printed with the table of thresholds. */
    @Test
    void unknownWordsAndLabelsArePrinted() throws IOException {
        Files.writeString(
                folder.resolve("odd.csv"),
                "text,label,_corrupt_record\nopen 3 read close,normal,kept\nopen 3 read shut,attack,kept\n");
        String[] score = {
            "score", "FOLDER/run", "FOLDER/odd.csv", "corpus.columns.text=text", "--format", "json", "--out"
        };
        String printed =
                succeeded(with(score, "FOLDER/odd", "--threshold", "3")).out();
        assertTrue(printed.contains("unknown tokens  10.00 % of 10; of the reference rows 0.00 %"), printed);
        assertTrue(printed.contains("labels          1 anomalous, 1 normal, 0 without a label"), printed);
        assertTrue(
                printed.matches(
                        "(?s).*  precision     recall         F1\nchosen +3\\.0000 +1 +1\\.0000 +1\\.0000 +1\\.0000\n.*"),
                printed);
        JsonNode counts = succeeded(with(score, "FOLDER/odd-json", "--threshold", "3", "--json"))
                .json();
        assertEquals(0.1, counts.get("unknown_share").asDouble(), 1e-9);
        for (JsonNode row : rows("odd")) {
            assertEquals("kept", row.get("_corrupt_record").asText());
            assertFalse(row.has("unscored") && !row.get("unscored").isNull(), row.toString());
        }
        Files.writeString(folder.resolve("bits.csv"), "text,bits\nopen 3 read close,1\n");
        assertRefused(
                "has a column bits already",
                "score",
                "FOLDER/run",
                "FOLDER/bits.csv",
                "corpus.columns.text=text",
                "--bits",
                "--reference",
                "FOLDER/missing",
                "--out",
                "FOLDER/x");
    }

    /** The share of the normal rows that are alarms is that of a job that scores them. */
    @Test
    void alarmsByRankAreComparedWithThoseOfNormalRows() throws IOException {
        JsonNode normal = alarmsByRank("train.jsonl", "FOLDER/normal-ranks");
        double share = normal.get("alarm_share").asDouble();
        assertTrue(share > 0.2 && share < 0.8, "share " + share);
        double heldOut = normal.get("reference").get("alarm_share").asDouble();
        assertEquals(share, heldOut, 0.2);
        JsonNode compared = alarmsByRank("test.jsonl", "FOLDER/compared-ranks", "--reference", "FOLDER/train.jsonl");
        assertEquals(share, compared.get("reference").get("alarm_share").asDouble(), 0.01);
    }

    /** The reference is not in the folder of the partitions; what cannot be written is refused before it is read. */
    @Test
    void aPartitionIsScoredByOtherRows() throws IOException {
        Path day = Files.createDirectories(folder.resolve("by-day/dt=b"));
        Files.copy(folder.resolve("test.jsonl"), day.resolve("rows.jsonl"));
        String[] score = {
            "score",
            "FOLDER/run",
            "FOLDER/by-day/dt=b",
            "corpus.options.basePath=FOLDER/by-day",
            "--out",
            "FOLDER/scored-by-day",
            "--partition-by",
            "dt"
        };
        Output scored = succeeded(with(score, "--reference", "FOLDER/train.jsonl", "--quantile", "0.999"));
        assertTrue(Files.isDirectory(folder.resolve("scored-by-day/dt=b")));
        assertTrue(scored.out().startsWith("output          " + folder + "/scored-by-day\n"), scored.out());
        String warning =
                "unroll: warning: the quantile 0.999 of 300 reference rows is inaccurate, because only about 0.3"
                        + " of them are above it (at least 10 are needed): use more rows, or a quantile of at most 0.966.";
        assertTrue(scored.err().contains(warning), scored.err());

        // With more folders below, and compared with the rows of a query.
        Path hours = Files.createDirectories(folder.resolve("by-hour/dt=b/hour=7"));
        Files.copy(folder.resolve("test.jsonl"), hours.resolve("rows.jsonl"));
        String[] byHour = {
            "score",
            "FOLDER/run",
            "FOLDER/by-hour/dt=b",
            "corpus.options.basePath=FOLDER/by-hour",
            "--reference",
            "corpus.query=SELECT * FROM json.`FOLDER/train.jsonl` WHERE id < 200",
            "--json",
            "--out",
            "FOLDER/scored-by-hour",
            "--partition-by",
            "dt,hour"
        };
        JsonNode counts = succeeded(byHour).json();
        assertEquals(200, counts.get("reference").get("rows").asInt());
        assertTrue(Files.isDirectory(folder.resolve("scored-by-hour/dt=b/hour=7")));
        assertRefused(
                "is partitioned by dt,hour: give the same --partition-by",
                with(byHour, "--mode", "overwrite", "--partition-by", "dt"));
        assertRefused("contains part-", with(byHour, "--mode", "append", "--format", "json"));

        Files.writeString(folder.resolve("blank.jsonl"), "{\"event\": {\"text\": \" \"}}\n");
        String[] again = with(score, "--mode", "overwrite", "--reference", "FOLDER/blank.jsonl");
        assertRefused("blank.jsonl, which has no rows that can be scored", again);
        assertRefused(
                "--partition-by is month, but the columns are",
                Arrays.stream(with(again, "--partition-by", "month"))
                        .map(argument -> argument.replace("scored-by-day", "new"))
                        .toArray(String[]::new));
        Output refused = run(with(score, "--mode", "overwrite", "corpus.columns.text=body", "--quantile", "0.999"));
        assertTrue(refused.err().contains("has no column body"), refused.err());
        assertFalse(refused.err().contains("warning"), refused.err());
    }

    private static JsonNode alarmsByRank(String input, String out, String... more) throws IOException {
        String[] score = {"score", "FOLDER/run", "FOLDER/" + input, "--top-g", "4", "--json", "--out", out};
        return succeeded(with(score, more)).json();
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void anOutputThatExistsIsKept() throws IOException {
        String[] score = {"score", "FOLDER/run", "FOLDER/test.jsonl", "--format", "json", "--out", "FOLDER/kept"};
        succeeded(score);
        assertRefused("kept, which exists: give another name, or --mode overwrite", score);
        succeeded(with(score, "--mode", "append"));
        assertEquals(12, rows("kept").size());
        succeeded(with(score, "--mode", "overwrite"));
        assertEquals(6, rows("kept").size());
        Files.writeString(folder.resolve("kept/notes.txt"), "mine");
        assertRefused("contains notes.txt, which Spark has not written", with(score, "--mode", "overwrite"));
        assertRefused(
                "write to another folder",
                "score",
                "FOLDER/run",
                "FOLDER/kept/*.json",
                "--out",
                "FOLDER/kept",
                "--mode",
                "append");
    }

    @Test
    void overwriteReplacesOnlyThePartitionsThatAreWritten() throws IOException {
        String[] score = {
            "score",
            "FOLDER/run",
            "--format",
            "json",
            "--out",
            "FOLDER/days",
            "--mode",
            "overwrite",
            "--partition-by",
            "day"
        };
        String query = "corpus.query=SELECT * FROM json.`FOLDER/test.jsonl` WHERE day ";
        succeeded(with(score, query + "= 'a'"));
        succeeded(with(score, query + "= 'b'"));
        succeeded(with(score, query + "= 'b'"));
        assertEquals(5, rows("days").size());
        assertTrue(Files.isDirectory(folder.resolve("days/day=a")));
        assertTrue(Files.exists(folder.resolve("days/_SUCCESS")));
        assertRefused(
                "is partitioned by day: give the same --partition-by",
                "score",
                "FOLDER/run",
                "FOLDER/test.jsonl",
                "--out",
                "FOLDER/days",
                "--mode",
                "overwrite");
        assertRefused(
                "is partitioned by day: give the same --partition-by",
                with(score, query + "= 'a'", "--partition-by", "month"));
    }

    @Test
    void everyFormatAndSeveralFilesAreRead() throws IOException {
        Files.createDirectories(folder.resolve("mixed"));
        Files.writeString(folder.resolve("mixed/a.csv"), "id,text\n1,open 3 read close\n2,close\n3\n");
        Files.writeString(folder.resolve("mixed/b.csv"), "text,id,more\n\"open, 4\",4,x\n");
        Files.writeString(folder.resolve("plain.txt"), "open 3 read close\n\nopen 4 read close\n");
        succeeded(
                "score",
                "FOLDER/run",
                "FOLDER/mixed",
                "corpus.columns.text=text",
                "--out",
                "FOLDER/csv",
                "--format",
                "json");
        List<JsonNode> rows = rows("csv");
        assertEquals(4, rows.size());
        assertEquals("malformed", rows.get(2).get("unscored").asText());
        assertEquals("x", rows.get(3).get("more").asText());
        succeeded(
                "score",
                "FOLDER/run",
                "FOLDER/plain.txt",
                "corpus.columns.text=text",
                "--out",
                "FOLDER/plain",
                "--format",
                "csv");
        List<String> plain = lines("plain", ".csv");
        assertEquals(4, plain.size());
        assertTrue(plain.get(3).startsWith("text,score,max_bits,"), plain.get(3));
        assertTrue(
                plain.get(1).matches("open 3 read close,[0-9.]+,[0-9.]+,1,3,open 3 read close,.*\"\\[.*]\".*"),
                plain.get(1));
        assertTrue(plain.get(0).endsWith(",empty"), plain.get(0));
        succeeded(
                "score",
                "FOLDER/run",
                "FOLDER/plain.txt",
                "corpus.columns.text=text",
                "--out",
                "FOLDER/lines",
                "--format",
                "json");
        assertEquals(3, rows("lines").size());
        assertRefused("has no column event.text", "score", "FOLDER/run", "FOLDER/mixed", "--out", "FOLDER/none");
    }

    /** As Spark 4 does by default. */
    @Test
    void aQueryThatFailsInAnsiModeEndsInOneSentence() {
        String query = "corpus.query=SELECT event, CAST(label AS INT) AS id FROM json.`FOLDER/test.jsonl`";
        String problem =
                "CAST(label AS INT) fails: The value 'normal' of the type \"STRING\" cannot be cast to \"INT\"";
        System.setProperty("spark.sql.ansi.enabled", "true");
        try {
            for (String[] arguments : List.of(
                    new String[] {"score", "FOLDER/run", query, "--out", "FOLDER/ansi"},
                    new String[] {
                        "score", "FOLDER/run", "FOLDER/test.jsonl", "--reference", query, "--out", "FOLDER/ansi-2"
                    },
                    new String[] {"embed", "FOLDER/run", query, "--out", "FOLDER/ansi-3"},
                    new String[] {
                        "evaluate",
                        "FOLDER/run",
                        query.replace("event", "named_struct('text', CAST(label AS INT)) AS event")
                    },
                    new String[] {
                        "train",
                        "FOLDER/score.conf",
                        "corpus.path=",
                        query.replace("event", "named_struct('text', CAST(label AS INT)) AS event") + " SORT BY id",
                        "run.directory=FOLDER/ansi-run"
                    })) {
                Output output = run(arguments);
                assertEquals(1, output.status(), output.err());
                assertTrue(output.err().contains(problem), output.err());
                assertFalse(output.err().contains("\tat ") || output.err().contains(".log"), output.err());
            }
        } finally {
            System.clearProperty("spark.sql.ansi.enabled");
        }
    }

    @Test
    void othersThanLanguageModelsPredict() throws IOException {
        String settings =
                """
                run.directory = "%1$s/%2$s"
                corpus { path = "%1$s/%2$s.csv", validation = 0.2, test = 0 }
                model { hidden = 8, layers = 1 }
                training { epochs = 8, learning-rate = 0.05, batch = 8 }
                cluster.replicas = 1
                task = %2$s
                """;
        String texts = IntStream.range(0, 80)
                .mapToObj(i -> (i % 2 == 0 ? "even,aaa " : "odd,bbb ") + i)
                .collect(Collectors.joining("\n"));
        Files.writeString(folder.resolve("classification.csv"), "label,text\n" + texts);
        Files.writeString(folder.resolve("seq2seq.csv"), "target,source\n" + texts);
        for (String task : List.of("classification", "seq2seq")) {
            Files.writeString(folder.resolve(task + ".conf"), settings.formatted(folder, task));
            succeeded("train", "FOLDER/" + task + ".conf");
        }
        String[] predict = {
            "predict", "FOLDER/classification", "FOLDER/classification.csv", "--format", "json", "--json"
        };
        Output output = succeeded(with(predict, "--out", "FOLDER/labels"));
        assertEquals(80, output.json().get("rows").asInt());
        assertEquals(80, rows("labels").size());
        for (JsonNode row : rows("labels")) {
            assertEquals(row.get("label").asText(), row.get("prediction").asText());
            assertEquals(
                    row.get("probability").asDouble(),
                    row.get("probabilities").get(row.get("label").asText()).asDouble());
        }
        succeeded(
                "predict",
                "FOLDER/seq2seq",
                "FOLDER/seq2seq.csv",
                "--out",
                "FOLDER/targets",
                "--format",
                "json",
                "--beam",
                "2");
        assertEquals(80, rows("targets").size());
        for (JsonNode row : rows("targets")) {
            assertTrue(row.has("prediction") && row.get("log_probability").asDouble() < 0, row.toString());
        }
        for (String model : List.of("run", "classification", "seq2seq")) {
            String input = model.equals("run") ? "test.jsonl" : model + ".csv";
            succeeded(
                    "embed",
                    "FOLDER/" + model,
                    "FOLDER/" + input,
                    "--out",
                    "FOLDER/vectors-" + model,
                    "--format",
                    "json");
            JsonNode row = rows("vectors-" + model).get(0);
            assertEquals(model.equals("run") ? 16 : 8, row.get("vector").size());
            assertTrue(row.get("vector").get(0).isNumber(), row.toString());
        }
        assertRefused(
                "/seq2seq has task = seq2seq, but score needs a language model: use predict",
                "score",
                "FOLDER/seq2seq",
                "FOLDER/seq2seq.csv",
                "--out",
                "FOLDER/x");
        assertRefused("use score or generate", "predict", "FOLDER/run", "FOLDER/test.jsonl", "--out", "FOLDER/x");
        assertRefused(
                "--pooling must be last",
                "embed",
                "FOLDER/seq2seq",
                "FOLDER/seq2seq.csv",
                "--out",
                "FOLDER/x",
                "--pooling",
                "mean");
        assertRefused("give either --out FOLDER or --table NAME", "embed", "FOLDER/seq2seq", "FOLDER/seq2seq.csv");
    }

    /** The captions are those of generate; an image that is missing loses nothing. */
    @Test
    void imagesAreCaptioned() throws IOException {
        Files.createDirectories(folder.resolve("images"));
        StringBuilder rows = new StringBuilder("image,caption\n");
        for (int i = 0; i < 12; i++) {
            BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
            image.setRGB(i % 8, i % 5, 0xFFFFFF >> i);
            ImageIO.write(image, "png", folder.resolve("images/" + i + ".png").toFile());
            rows.append(i).append(".png,dot at ").append(i % 3).append('\n');
        }
        Files.writeString(folder.resolve("captions.csv"), rows);
        Files.writeString(
                folder.resolve("captions.conf"),
                """
                task = captioning
                run.directory = "%1$s/captions"
                corpus { path = "%1$s/captions.csv", images = "%1$s/images", validation = 0, test = 0, tokenizer = word }
                model { hidden = 8, layers = 1, image.side = 8 }
                training { epochs = 20, batch = 4, learning-rate = 0.02 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        succeeded("train", "FOLDER/captions.conf");
        Files.writeString(folder.resolve("some.csv"), "image,id\n0.png,0\nmissing.png,1\n,2\n7.png,3\n");
        JsonNode counts = succeeded(
                        "predict",
                        "FOLDER/captions",
                        "FOLDER/some.csv",
                        "--out",
                        "FOLDER/captioned",
                        "--format",
                        "json",
                        "--json")
                .json();
        assertEquals(Map.of("null", 1, "malformed", 1), MAPPER.convertValue(counts.get("unscored"), Map.class));
        List<JsonNode> captioned = rows("captioned");
        assertEquals("malformed", captioned.get(1).get("unscored").asText());
        for (int row : new int[] {0, 3}) {
            Output generated = succeeded(
                    "generate",
                    "FOLDER/captions",
                    "--image",
                    "FOLDER/images/" + captioned.get(row).get("image").asText());
            assertEquals(
                    generated.out().strip(),
                    captioned.get(row).get("prediction").asText());
        }
        assertRefused("reads images", "embed", "FOLDER/captions", "FOLDER/some.csv", "--out", "FOLDER/x");
    }

    /** The state is carried from row to row of a host, in the order of the times. */
    @Test
    void rowsOfSessionsAreScored() throws IOException {
        String events = IntStream.range(0, 200)
                .mapToObj(i -> "h" + i % 5 + "," + (1000 - i) + ",step " + i / 5 % 4)
                .collect(Collectors.joining("\n"));
        Files.writeString(folder.resolve("sessions.csv"), "host,time,message\n" + events);
        Files.writeString(
                folder.resolve("sessions.conf"),
                """
                run.directory = "%1$s/sessions"
                corpus {
                  query = "SELECT * FROM csv.`%1$s/sessions.csv`", format = csv, tokenizer = word, validation = 0, test = 0
                  columns { text = _c2, document = _c0, order = _c1 }
                }
                model { hidden = 8, layers = 1 }
                training { epochs = 30, batch = 4, learning-rate = 0.02 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        succeeded("train", "FOLDER/sessions.conf");
        String[] score = {
            "score",
            "FOLDER/sessions",
            "FOLDER/sessions.csv",
            "corpus.columns.text=message",
            "--format",
            "json",
            "--json"
        };
        JsonNode keyed = succeeded(with(score, "--out", "FOLDER/keyed", "--key", "host", "--order-by", "time"))
                .json();
        assertEquals(200, keyed.get("scored").asInt());
        JsonNode alone =
                succeeded(with(score, "--out", "FOLDER/alone", "--key", "none")).json();
        assertEquals(200, alone.get("scored").asInt());
        double keyedBits = rows("keyed").stream()
                .mapToDouble(row -> row.get("score").asDouble())
                .sum();
        double aloneBits = rows("alone").stream()
                .mapToDouble(row -> row.get("score").asDouble())
                .sum();
        assertTrue(keyedBits < 0.8 * aloneBits, keyedBits + " " + aloneBits);
        JsonNode nested = succeeded(
                        "score",
                        "FOLDER/sessions",
                        "corpus.query=SELECT struct(_c0 AS host, _c1 AS time) AS at, struct(_c2 AS message) AS event"
                                + " FROM csv.`FOLDER/sessions.csv` WHERE _c0 <> 'host'",
                        "corpus.columns.text=event.message",
                        "--key",
                        "at.host",
                        "--order-by",
                        "at.time",
                        "--format",
                        "json",
                        "--json",
                        "--out",
                        "FOLDER/nested")
                .json();
        assertEquals(200, nested.get("scored").asInt());
        double nestedBits = rows("nested").stream()
                .mapToDouble(row -> row.get("score").asDouble())
                .sum();
        assertEquals(keyedBits, nestedBits, 1e-9);
        assertRefused("use --key and --order-by", with(score, "--out", "FOLDER/x", "corpus.columns.document=host"));
        assertRefused("--prefix is a.b; it must consist of", with(score, "--out", "FOLDER/x", "--prefix", "a.b"));
    }

    /** A word that is too long, and a long source, are not read; the other rows are. */
    @Test
    void oddRowsLoseNothing() throws IOException {
        String rows = "{\"event\": {\"text\": \"open 3 read close\"}, \"id\": 1}\n{\"event\": {\"text\": \""
                + "x".repeat(70_000) + "\"}, \"id\": 2}\n";
        Files.writeString(folder.resolve("odd.jsonl"), rows);
        for (String command : List.of("score", "embed")) {
            succeeded(command, "FOLDER/run", "FOLDER/odd.jsonl", "--out", "FOLDER/odd-" + command, "--format", "json");
            assertEquals(
                    "malformed", rows("odd-" + command).get(1).get("unscored").asText());
            assertTrue(rows("odd-" + command).get(0).get("unscored") == null);
        }
        Files.writeString(folder.resolve("empty.csv"), "");
        assertRefused(
                "is empty: there is nothing to read", "score", "FOLDER/run", "FOLDER/empty.csv", "--out", "FOLDER/x");
    }
}
