package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.SaveMode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every task with the formats that Spark reads with a package: Avro, and Delta with its settings. */
@Tag("nightly")
class PackagedSourcesIT {
    private static final Map<String, String> DELTA = Map.of(
            "spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            // Delta reads the log of a table with 50 tasks by default.
            "spark.databricks.delta.snapshotPartitions", "1");

    /** Settings by source. */
    private static final Map<String, String> SOURCES = Map.of(
            "avro", "path = \"%s/rows.avro\", format = avro",
            "delta", "path = \"%s/delta\", format = delta",
            "delta table", "table = delta_table",
            "delta query", "query = \"SELECT * FROM delta.`%s/delta`\"");

    @TempDir
    private static Path folder;

    private static Session session;
    private static SourceRows rows;

    @BeforeAll
    static void write() throws IOException {
        DELTA.forEach(System::setProperty);
        session = TestRuns.startSession();
        rows = new SourceRows(session, folder);
        rows.data().write().format("avro").save(folder + "/rows.avro");
        // The folder of a Delta table also contains the files of earlier versions.
        for (SaveMode mode : List.of(SaveMode.ErrorIfExists, SaveMode.Overwrite)) {
            rows.data().write().format("delta").partitionBy("label").mode(mode).save(folder + "/delta");
        }
        session.sql().sql("CREATE TABLE delta_table USING delta LOCATION '" + folder + "/delta'");
    }

    @AfterAll
    static void close() {
        session.close();
        DELTA.keySet().forEach(System::clearProperty);
    }

    static Stream<Arguments> cells() {
        return SOURCES.keySet().stream().sorted().flatMap(source -> Stream.of(
                        "stream", "documents", "classification", "seq2seq", "captioning")
                .map(task -> Arguments.of(source, task)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    void trainsTheSameModel(String source, String task) throws IOException {
        rows.assertTrainsTheSameModelAsCsv(source, SOURCES.get(source).formatted(folder), task, 1);
    }

    /** The message of Delta itself has several sentences. Delta checks the settings when it opens a folder. */
    @Test
    void missingSettingsOfDeltaAreNamed() throws IOException {
        FileUtils.copyDirectory(
                folder.resolve("delta").toFile(), folder.resolve("copy/delta").toFile());
        String catalog = "spark.sql.catalog.spark_catalog";
        session.sql().conf().unset(catalog);
        try {
            String problem = assertThrows(
                            ConfigurationException.class,
                            () -> rows.train(
                                    "unset", SOURCES.get("delta").formatted(folder + "/copy"), "classification"))
                    .getMessage();
            assertTrue(problem.contains("the session lacks the two settings of Delta. Add"), problem);
        } finally {
            session.sql().conf().set(catalog, DELTA.get(catalog));
        }
    }
}
