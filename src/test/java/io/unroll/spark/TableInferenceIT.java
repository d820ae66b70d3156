package io.unroll.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.timestamp_seconds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.Reference;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings.Pooling;
import io.unroll.config.SettingsReader;
import io.unroll.inference.Scorer;
import io.unroll.inference.TextScore;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The results of a model for the rows of tables, divided in several ways, and in plain Java. */
class TableInferenceIT extends LocalSparkSession {
    private static final StructType EVENTS = new StructType()
            .add("id", DataTypes.IntegerType)
            .add("host", DataTypes.StringType)
            .add("time", DataTypes.IntegerType)
            .add("message", DataTypes.StringType);

    private static TrainedModel rows;
    private static TrainedModel sessions;
    private static List<Row> events;

    @BeforeAll
    static void train() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        events = IntStream.range(0, 400)
                .mapToObj(i -> RowFactory.create(i, "h" + random.nextInt(7), random.nextInt(1000), message(random, i)))
                .toList();
        Files.writeString(
                folder.resolve("events.csv"),
                "host,time,message\n"
                        + events.stream()
                                .map(row -> row.get(1) + "," + row.get(2) + "," + row.get(3))
                                .collect(Collectors.joining("\n")));
        String settings =
                """
                run.directory = "%1$s/%2$s"
                corpus { path = "%1$s/events.csv", columns.text = message, documents = reset, min-count = 2 }
                model { hidden = 8, layers = 2 }
                training.epochs = 1
                cluster.replicas = 1
                """;
        try (TestRuns runs = new TestRuns(session)) {
            rows = runs.train(settings.formatted(folder, "rows"));
            sessions = runs.train(settings.formatted(folder, "sessions")
                    + "corpus { columns { document = host, order = time }, split-by = row }");
        }
        session = TestRuns.startSession();
    }

    private static String message(SplittableRandom random, int i) {
        return i % 50 == 7
                ? "rare \u00fc " + i
                : "user " + random.nextInt(20) + " logged " + (i % 3 == 0 ? "in" : "out");
    }

    private static Dataset<Row> table(List<Row> data, int partitions) {
        return session.sql().createDataFrame(data, EVENTS).repartition(partitions);
    }

    /** @return the rows by their first column, without the columns of the input */
    private static Map<Integer, List<Object>> byId(Dataset<Row> results) {
        Map<Integer, List<Object>> byId = new TreeMap<>();
        for (Row row : results.collectAsList()) {
            List<Object> values = new ArrayList<>();
            for (int i = EVENTS.size(); i < row.size(); i++) {
                values.add(row.isNullAt(i) ? null : row.get(i).toString());
            }
            assertNull(byId.put(row.getInt(0), values));
        }
        return byId;
    }

    @Test
    void scoresDoNotDependOnPartitionsOrderAndCompany() {
        AnomalyRule rule = new AnomalyRule(AnomalyRule.By.SCORE, 4.0);
        try (TableInference inference = new TableInference(session, rows)) {
            Map<Integer, List<Object>> expected =
                    byId(inference.score(table(events, 1), col("message"), rule, "", true));
            assertEquals(events.size(), expected.size());
            assertEquals(expected, byId(inference.score(table(events, 200), col("message"), rule, "", true)));
            for (int id : new int[] {0, 7, 399}) {
                assertEquals(
                        Map.of(id, expected.get(id)),
                        byId(inference.score(table(List.of(events.get(id)), 1), col("message"), rule, "", true)));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 100})
    void scoresOfSessionsDoNotDependOnPartitions(double gap) {
        try (TableInference inference = new TableInference(session, sessions)) {
            Map<Integer, List<Object>> expected = byId(sessions(inference, table(events, 1), gap));
            assertEquals(events.size(), expected.size());
            session.sql().conf().set("spark.sql.shuffle.partitions", 37);
            assertEquals(expected, byId(sessions(inference, table(events, 50), gap)));
            List<Row> oneHost =
                    events.stream().filter(row -> row.getString(1).equals("h3")).toList();
            byId(sessions(inference, table(oneHost, 3), gap))
                    .forEach((id, scores) -> assertEquals(expected.get(id), scores));
        }
    }

    @Test
    void aChangeOfTheClocksIsNoGap() {
        long change = Instant.parse("2026-03-08T07:00:00Z").getEpochSecond();
        session.sql().conf().set("spark.sql.session.timeZone", "America/New_York");
        try (TableInference inference = new TableInference(session, sessions)) {
            Dataset<Row> table = table(events, 3)
                    .withColumn("at", timestamp_seconds(col("time").plus(lit(change - 500))));
            Dataset<Row> scored = inference.scoreDocuments(
                    table, col("message"), col("host"), col("at"), 100, AnomalyRule.NONE, "", true);
            assertEquals(byId(sessions(inference, table(events, 3), 100)), byId(scored.drop("at")));
        } finally {
            session.sql().conf().unset("spark.sql.session.timeZone");
        }
    }

    /** An order that is no number, or a text that cannot be read, changes nothing else, not even a gap. */
    @Test
    void rowsThatCannotBeScoredDoNotChangeOthers() {
        List<Row> more = new ArrayList<>(events);
        more.add(RowFactory.create(1000, "h9", 5, "user 1 logged in"));
        for (int time = 0; time < 1000; time += 10) {
            more.add(RowFactory.create(1001 + time, "h" + time % 7, time, " "));
        }
        try (TableInference inference = new TableInference(session, sessions)) {
            for (double gap : new double[] {0, 15}) {
                Map<Integer, List<Object>> expected = byId(sessions(inference, table(events, 3), gap));
                Column order = org.apache
                        .spark
                        .sql
                        .functions
                        .when(col("id").equalTo(1000), "n/a")
                        .otherwise(col("time").cast("string"));
                Map<Integer, List<Object>> scores = byId(inference.scoreDocuments(
                        table(more, 3), col("message"), col("host"), order, gap, AnomalyRule.NONE, "", true));
                // Only a gap needs times.
                assertEquals(gap == 0 ? null : "malformed", scores.get(1000).get(11));
                scores.keySet().removeIf(id -> id >= 1000);
                expected.forEach((id, values) -> assertEquals(values, scores.get(id), "row " + id + ", gap " + gap));
                assertEquals(expected.size(), scores.size());
            }
        }
    }

    private static Dataset<Row> sessions(TableInference inference, Dataset<Row> table, double gap) {
        return inference.scoreDocuments(
                table, col("message"), col("host"), col("time"), gap, AnomalyRule.NONE, "", true);
    }

    /** The sum of the rows' bits is the loss of the documents, which evaluate computes in its own batches. */
    @ParameterizedTest
    @ValueSource(ints = {0, 15})
    void sessionsHaveTheLossOfAnEvaluation(int gap) throws IOException {
        TrainedModel withGap = sessions.withSettings(SettingsReader.override(
                sessions.settings(), List.of("corpus.session-gap=" + (gap == 0 ? "0" : gap + "s"))));
        double loss = Evaluation.of(
                        session, withGap, List.of(folder.resolve("events.csv").toString()), 1)
                .orElseThrow()
                .loss()
                .sum();
        try (TableInference inference = new TableInference(session, sessions)) {
            double bits = sessions(inference, table(events, 3), gap)
                    .agg(org.apache.spark.sql.functions.sum(col("score").multiply(col("tokens"))))
                    .head()
                    .getDouble(0);
            assertEquals(loss / Math.log(2), bits, 1e-4 * bits);
        }
    }

    @Test
    void plainJavaGivesTheSameScores() {
        try (TableInference inference = new TableInference(session, rows);
                Scorer scorer = Scorer.load(folder.resolve("rows").toString())) {
            List<Row> scored = inference
                    .score(table(events, 3), col("message"), AnomalyRule.NONE, "", true)
                    .collectAsList();
            List<TextScore> plain =
                    scorer.score(scored.stream().map(row -> row.getString(3)).toList());
            for (int i = 0; i < scored.size(); i++) {
                assertEquals(scored.get(i).<Double>getAs("score"), plain.get(i).score());
                assertEquals(
                        scored.get(i).<Integer>getAs("max_rank"), plain.get(i).maxRank());
                assertEquals(
                        scored.get(i).<String>getAs("max_token"), plain.get(i).maxToken());
            }
            List<TextScore> parallel = scored.parallelStream()
                    .map(row -> scorer.score(row.getString(3)))
                    .toList();
            for (int i = 0; i < scored.size(); i++) {
                assertEquals(plain.get(i).score(), parallel.get(i).score());
            }
            float[] vector = scorer.embed("user 3 logged in", Pooling.LAST).values();
            Row embedded = inference
                    .embed(
                            table(List.of(RowFactory.create(1, "h", 1, "user 3 logged in")), 1),
                            col("message"),
                            "my_",
                            Pooling.LAST)
                    .head();
            assertEquals(
                    Arrays.toString(vector),
                    embedded.<Float>getList(embedded.fieldIndex("my_vector")).toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Pooling.class)
    void vectorsDoNotDependOnPartitionsAndCompany(Pooling pooling) {
        try (TableInference inference = new TableInference(session, rows)) {
            Map<Integer, List<Object>> expected = byId(inference.embed(table(events, 1), col("message"), "", pooling));
            assertEquals(events.size(), expected.size());
            assertEquals(8, expected.get(0).get(0).toString().split(",").length);
            assertEquals(expected, byId(inference.embed(table(events, 40), col("message"), "", pooling)));
            for (int id : new int[] {0, 7, 399}) {
                assertEquals(
                        Map.of(id, expected.get(id)),
                        byId(inference.embed(table(List.of(events.get(id)), 1), col("message"), "", pooling)));
            }
        }
    }

    private static Dataset<Row> scoredFiles(TrainedModel model, String input, long unscored) {
        String out = folder.resolve(input + "-scored").toString();
        try (ScoreJob job = new ScoreJob(session, model, Optional.empty(), Optional.empty())) {
            TableOutput output = new TableOutput(out, "", "parquet", TableOutput.Mode.ERROR, List.of());
            ScoreSummary.Counts counts = job.score(
                    job.read(List.of(folder.resolve(input).toString()), output, "", false),
                    output,
                    AnomalyRule.NONE,
                    Optional.empty(),
                    "",
                    false);
            assertEquals(unscored, counts.rows().rows() - counts.scored());
        }
        return session.sql().read().parquet(out);
    }

    @Test
    void aModelOfATableScoresFiles() throws IOException {
        table(events, 2).createOrReplaceTempView("events");
        TrainedModel model = new TestRuns(session)
                .train(
                        """
                        run.directory = "%s/of-table"
                        corpus { table = events, columns.text = message, documents = reset }
                        model { hidden = 8, layers = 1 }
                        training.epochs = 1
                        cluster.replicas = 1
                        """
                                .formatted(folder));
        List<Row> ofFiles = scoredFiles(model, "events.csv", 0)
                .select("message", "score")
                .orderBy("message")
                .collectAsList();
        try (TableInference inference = new TableInference(session, model)) {
            assertEquals(
                    inference
                            .score(table(events, 3), col("message"), AnomalyRule.NONE, "", false)
                            .select("message", "score")
                            .orderBy("message")
                            .collectAsList(),
                    ofFiles);
        }
    }

    /** A row of 50 MB is kept, without a score, and the rows around it are scored. */
    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"parquet", "text"})
    void aHugeRowLosesNothing(String format) {
        String huge = "SELECT repeat('user 7 logged in', 3276800) AS message UNION ALL"
                + " SELECT concat('user ', id, ' logged in') FROM range(20)";
        session.sql()
                .sql(huge)
                .coalesce(1)
                .write()
                .format(format)
                .save(folder.resolve("huge-" + format).toString());
        String column = format.equals("text") ? "text" : "message";
        TrainedModel model =
                rows.withSettings(SettingsReader.override(rows.settings(), List.of("corpus.columns.text=" + column)));
        Dataset<Row> scored = scoredFiles(model, "huge-" + format, 1);
        assertEquals(
                List.of(RowFactory.create("too_long", 52_428_800)),
                scored.filter("score IS NULL")
                        .selectExpr("unscored", "length(" + column + ")")
                        .collectAsList());
        assertEquals(20, scored.filter("score > 0 AND unscored IS NULL").count());
    }

    @Tag("full")
    @Test
    void emptyPartitionsCostLittle() {
        try (TableInference inference = new TableInference(session, rows)) {
            Dataset<Row> table = session.sql().createDataFrame(events, EVENTS);
            Map<Integer, List<Object>> expected =
                    byId(inference.score(table.coalesce(1), col("message"), AnomalyRule.NONE, "", false));
            // Equal keys: all partitions except one are empty.
            Dataset<Row> sparse = table.repartition(10_000, lit(1));
            assertEquals(10_000, sparse.rdd().getNumPartitions());
            assertEquals(
                    expected,
                    assertTimeout(
                            Duration.ofMinutes(5),
                            () -> byId(inference.score(sparse, col("message"), AnomalyRule.NONE, "", false))));
        }
    }

    /** Null keys, orders and texts are not scored and lose nothing; the rows around them keep their state. */
    @Test
    void rowsThatCannotBeScoredAreKept() {
        List<Row> some = List.of(
                RowFactory.create(1, "h", 1, "user 1 logged in"),
                RowFactory.create(2, "h", 2, null),
                RowFactory.create(3, "h", 7, "user 1 logged out"),
                RowFactory.create(4, null, 4, "user 1 logged in"),
                RowFactory.create(5, "h", null, "user 1 logged in"),
                RowFactory.create(6, "h", 6, "  "));
        List<Row> good = List.of(some.get(0), some.get(2));
        try (TableInference inference = new TableInference(session, sessions)) {
            Map<Integer, List<Object>> scored = byId(sessions(inference, table(some, 2), 0));
            assertEquals(6, scored.size());
            byId(sessions(inference, table(good, 1), 0)).forEach((id, scores) -> assertEquals(scored.get(id), scores));
            int reason = 11;
            assertEquals("null", scored.get(2).get(reason));
            assertEquals("null", scored.get(4).get(reason));
            assertEquals("null", scored.get(5).get(reason));
            assertEquals("empty", scored.get(6).get(reason));
            assertNull(scored.get(6).get(0));
        }
    }

    @Test
    void aColumnOfTheSameNameIsRefused() {
        try (TableInference inference = new TableInference(session, rows)) {
            Dataset<Row> table = table(events, 1).withColumn("Score", col("id"));
            Column message = col("message");
            String problem = assertThrows(
                            ConfigurationException.class,
                            () -> inference.score(table, message, AnomalyRule.NONE, "", false))
                    .getMessage();
            assertTrue(problem.contains("has a column score already: give --prefix"), problem);
            assertEquals(
                    400,
                    inference
                            .score(table, message, AnomalyRule.NONE, "my_", false)
                            .where(col("my_score").gt(0))
                            .count());
        }
    }

    /** Otherwise, rows that are equal to the most surprising normal row would be anomalies. */
    @Test
    void heldOutRowsHaveTheSameScoresAsInATable() {
        try (TableInference inference = new TableInference(session, rows)) {
            TreeSet<Double> scores = new TreeSet<>();
            inference
                    .score(table(events, 1), col("message"), AnomalyRule.NONE, "", false)
                    .collectAsList()
                    .forEach(row -> scores.add(row.getAs("score")));
            List<Double> reference = rows.manifest().reference().scores();
            assertTrue(scores.containsAll(reference), reference + " " + scores);
        }
    }

    @Test
    void trainingKeepsTheScoresOfHeldOutRows() {
        for (String run : List.of("rows", "sessions")) {
            Reference reference = new ModelFolder(folder.resolve(run).toString(), new Configuration())
                    .read()
                    .manifest()
                    .reference();
            assertNotNull(reference, run);
            assertFalse(reference.rows() < 5, run);
            assertTrue(reference.quantile(0.5) > 0 && reference.quantile(0.5) < reference.quantile(1), run);
            assertTrue(reference.shareAboveRank(1) > reference.shareAboveRank(20), run);
        }
    }
}
