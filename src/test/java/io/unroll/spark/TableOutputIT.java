package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Results in tables of the catalog. */
class TableOutputIT extends LocalSparkSession {
    private static Dataset<Row> results(String rows) {
        return session.sql().sql("SELECT * FROM VALUES " + rows + " AS results(day, score)");
    }

    private static void write(Dataset<Row> results, TableOutput.Mode mode, String... partitionColumns) {
        new TableOutput("", "scored", "parquet", mode, List.of(partitionColumns))
                .write(Session.of(session.sql()), results);
    }

    private static long count(String where) {
        return session.sql().sql("SELECT * FROM scored WHERE " + where).count();
    }

    @Test
    void aTableIsCreatedOverwrittenByPartitionsAndAppended() {
        write(results("('a', 1.0), ('b', 2.0)"), TableOutput.Mode.ERROR, "day");
        String problem = assertThrows(
                        ConfigurationException.class, () -> write(results("('a', 1.0)"), TableOutput.Mode.ERROR, "day"))
                .getMessage();
        assertTrue(problem.contains("the table scored exists: give another name"), problem);

        write(results("('b', 3.0), ('b', 4.0)"), TableOutput.Mode.OVERWRITE, "day");
        assertEquals(1, count("day = 'a' AND score = 1.0"));
        assertEquals(2, count("day = 'b' AND score > 2.5"));
        assertEquals(3, count("true"));

        write(results("('b', 5.0)"), TableOutput.Mode.APPEND, "day");
        assertEquals(4, count("true"));

        Dataset<Row> unpartitioned = results("('c', 5.0)");
        assertTrue(assertThrows(ConfigurationException.class, () -> write(unpartitioned, TableOutput.Mode.OVERWRITE))
                .getMessage()
                .contains("is partitioned by [day], but --partition-by is []"));
        Dataset<Row> more = unpartitioned.withColumn("more", unpartitioned.col("day"));
        assertTrue(assertThrows(ConfigurationException.class, () -> write(more, TableOutput.Mode.OVERWRITE, "day"))
                .getMessage()
                .contains("but the results have day, score, more"));
        assertEquals(4, count("true"));
    }

    @Test
    void aFolderOfDeltaIsRefused() throws IOException {
        Path out = Files.createDirectories(folder.resolve("delta/_delta_log")).getParent();
        TableOutput output = new TableOutput(out.toString(), "", "parquet", TableOutput.Mode.APPEND, List.of());
        String problem = assertThrows(ConfigurationException.class, () -> output.check(List.of(), session.hadoop()))
                .getMessage();
        assertTrue(problem.contains("is a Delta table, but --format is parquet"), problem);
    }

    /** Also by a catalog that is only configured. */
    @Test
    void aTableInMemoryIsRefused() {
        for (String table : List.of("scored", "default.scored", "spark_catalog.default.scored")) {
            assertTrue(session.forgets(table), table);
        }
        session.sql().conf().set("spark.sql.catalog.ice", "org.apache.iceberg.spark.SparkCatalog");
        assertFalse(session.forgets("ice.default.scored"));
        assertFalse(Session.of(session.sql()).forgets("scored"));
    }

    @Test
    void aFormatThatSparkDoesNotHaveIsRefused() {
        String problem = assertThrows(ConfigurationException.class, () -> new TableOutput(
                                folder.resolve("out").toString(), "", "parkett", TableOutput.Mode.ERROR, List.of())
                        .write(session, results("('a', 1.0)")))
                .getMessage();
        assertTrue(problem.startsWith("--out ") && problem.contains("this Spark has no format parkett"), problem);
    }

    /** By a query that names the folder, and by a table that is in it. */
    @Test
    void aFolderThatIsReadIsNotOverwritten() {
        String out = folder.resolve("read").toString();
        results("('a', 1.0), ('b', 2.0)").write().parquet(out);
        session.sql().sql("CREATE TABLE in_folder USING parquet LOCATION '" + out + "'");
        for (String query : List.of("SELECT * FROM parquet.`" + out + "`", "SELECT * FROM in_folder")) {
            Dataset<Row> read = session.sql().sql(query);
            TableOutput output = new TableOutput(out, "", "parquet", TableOutput.Mode.OVERWRITE, List.of());
            String problem = assertThrows(ConfigurationException.class, () -> output.write(session, read))
                    .getMessage();
            assertTrue(problem.contains(", but the input contains file:"), problem);
            assertEquals(2, read.count());
        }
        session.sql().sql("DROP TABLE in_folder");
    }

    @Test
    void listsMapsAndStructsAreJsonInCsv() {
        String out = folder.resolve("csv").toString();
        Dataset<Row> nested = session.sql()
                .sql("SELECT array(1, 2) AS list, map('k', 0.5) AS `a.map`, named_struct('s', array('x,y')) AS struct,"
                        + " CAST(null AS STRUCT<s: INT>) AS none, 'a \"b\", c' AS text");
        new TableOutput(out, "", "csv", TableOutput.Mode.ERROR, List.of()).write(session, nested);
        Row row = session.sql()
                .read()
                .option("header", true)
                .option("escape", "\"")
                .csv(out)
                .head();
        assertEquals("[[1,2],{\"k\":0.5},{\"s\":[\"x,y\"]},null,a \"b\", c]", row.toString());
    }

    /** Spark never reports an observation whose event it has dropped. */
    @Test
    void countsAreNotAwaitedForEver() {
        String problem = assertTimeoutPreemptively(
                        Duration.ofSeconds(30),
                        () -> assertThrows(
                                UnrollException.class,
                                () -> RowCounts.values(new Observation(), Duration.ofMillis(50))))
                .getMessage();
        assertTrue(problem.contains("the results are written, but Spark has not reported their counts"), problem);
    }

    @AfterAll
    static void dropTable() {
        session.sql().sql("DROP TABLE IF EXISTS scored");
    }
}
