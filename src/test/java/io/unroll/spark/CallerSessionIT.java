package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.SampleText;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training in the Spark session of a caller. */
class CallerSessionIT {
    private static final Map<String, String> CORPORA = Map.of(
            "text", "task = language-model, corpus.path = \"%s/text\"",
            "rows", "task = classification, corpus.path = \"%s/rows.csv\"",
            "documents",
                    """
                    task = language-model
                    corpus {
                      query = "SELECT * FROM events", documents = reset, split-by = order, session-gap = 10m
                      columns { text = body, document = host, order = time }
                    }
                    """);

    @TempDir
    private Path folder;

    /** A session as in an application that runs more than Unroll. */
    static SparkSession callersSession() {
        return SparkSession.builder()
                .master("local[2]")
                .appName("caller")
                .config("spark.ui.enabled", "false")
                .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
                .config("spark.kryo.registrationRequired", "true")
                .config("spark.kryo.referenceTracking", "false")
                .config("spark.kryoserializer.buffer.max", "1m")
                .config("spark.default.parallelism", "3")
                .config("spark.rdd.compress", "true")
                .config("spark.sql.adaptive.enabled", "true")
                .config("spark.sql.shuffle.partitions", "5")
                .config("spark.sql.session.timeZone", "Asia/Tokyo")
                .getOrCreate();
    }

    @Test
    void trainsTheSameBitsWithKryoAndLeavesTheSessionAsItWas() throws IOException {
        Files.writeString(folder.resolve("text"), SampleText.lines(300));
        Files.writeString(folder.resolve("rows.csv"), TestRuns.rows(300));
        Map<String, List<Object>> expected = new TreeMap<>();
        try (Session session = TestRuns.startSession()) {
            events(session.sql());
            for (String corpus : CORPORA.keySet()) {
                expected.put(corpus, train(session, "own", corpus));
            }
        }
        try (SparkSession spark = callersSession().newSession()) {
            events(spark);
            // The first query completes the session's own configuration.
            spark.table("events").count();
            spark.sparkContext().setJobDescription("my job");
            Map<String, String> before = settings(spark);
            try (Session session = Session.of(spark)) {
                for (String corpus : CORPORA.keySet()) {
                    assertEquals(expected.get(corpus), train(session, "caller", corpus), corpus);
                    assertUnchanged(before, spark);
                }
            }
            assertUnchanged(before, spark);
            assertEquals(400, spark.table("events").count());
        }
        for (String corpus : CORPORA.keySet()) {
            assertArrayEquals(network("own", corpus), network("caller", corpus), corpus);
        }
    }

    /** Creates a view of events, with times, of 7 hosts. */
    private static void events(SparkSession spark) {
        spark.range(400)
                .selectExpr(
                        "concat('host ', id % 7) AS host",
                        "timestamp_seconds(1000000 + 97 * id) AS time",
                        "concat('login of user ', id * id % 11) AS body")
                .createOrReplaceTempView("events");
    }

    /** @return the validation loss, and the metrics of the training files */
    private List<Object> train(Session session, String run, String corpus) throws IOException {
        String settings =
                """
                run.directory = "%1$s/%2$s-%3$s"
                corpus { prepared = "%1$s/%2$s", validation = 0.2, test = 0 }
                model { hidden = 8, dropout = 0.2 }
                training { epochs = 1, batch = 8, tbptt = 16 }
                cluster { replicas = 2, averaging { every = 5, updater = keep } }
                """
                                .formatted(folder, run, corpus)
                        + CORPORA.get(corpus).formatted(folder);
        TrainedModel model = new TestRuns(session).train(settings);
        String path = model.settings().corpus().path();
        Object metrics = path.isEmpty()
                ? ""
                : Evaluation.of(session, model, List.of(path), 1).orElseThrow().metrics(model.vocabularies());
        return List.of(model.manifest().validationLoss(), metrics);
    }

    private byte[] network(String run, String corpus) throws IOException {
        return Files.readAllBytes(folder.resolve(run + "-" + corpus + "/model/network.zip"));
    }

    /** @return all that a session's user can set */
    private static Map<String, String> settings(SparkSession spark) {
        Map<String, String> settings = new TreeMap<>();
        for (var setting : spark.sparkContext().getConf().getAll()) {
            settings.put("spark " + setting._1(), setting._2());
        }
        spark.conf().getAll().foreach(setting -> settings.put("sql " + setting._1(), setting._2()));
        spark.sparkContext().hadoopConfiguration().forEach(entry -> settings.put(entry.getKey(), entry.getValue()));
        for (String property : List.of("spark.job.description", "callSite.short", "spark.scheduler.pool")) {
            settings.put(
                    "local " + property, String.valueOf(spark.sparkContext().getLocalProperty(property)));
        }
        return settings;
    }

    private static void assertUnchanged(Map<String, String> before, SparkSession spark) {
        Map<String, String> changed = settings(spark);
        assertEquals(before.size(), changed.size());
        changed.entrySet().removeAll(before.entrySet());
        assertEquals(Map.of(), changed);
    }

    /** A failed job, too, leaves no description behind. */
    @Test
    void restoresTheDescriptionAfterAFailure() throws IOException {
        try (SparkSession spark = callersSession();
                Session session = Session.of(spark)) {
            assertThrows(
                    UnrollException.class,
                    () -> session.map("fails", List.of(1), any -> {
                        throw new UnrollException("as expected");
                    }));
            assertNull(spark.sparkContext().getLocalProperty("spark.job.description"));
        }
    }
}
