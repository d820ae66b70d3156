package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.config.ConfigurationException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.execution.datasources.DataSource;
import org.apache.spark.sql.internal.SQLConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sentences for what Spark rejects. */
class SparkErrorsTest {
    private static final String DELTA = "jobs/unroll --packages io.delta:delta-spark_2.12:3.3.2"
            + " --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"
            + " --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog ...";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "avro   | Add its package: jobs/unroll --packages org.apache.spark:spark-avro_2.12:3.5.5 ...",
                "delta  | Add its package and its settings: " + DELTA,
                "parqet | Correct the name, or add the package of the format: jobs/unroll --packages"
                        + " GROUP:ARTIFACT:VERSION ...",
            })
    void missingFormatNamesItsPackage(String format, String advice) {
        assertEquals(
                "logs cannot be read: this Spark has no format " + format + ". " + advice,
                problem(() -> DataSource.lookupDataSource(format, new SQLConf())));
    }

    @Test
    void missingSettingsOfDeltaAreNamed() {
        assertEquals(
                "logs cannot be read: the session lacks the two settings of Delta. Add its package and its settings: "
                        + DELTA,
                problem(() -> {
                    throw new IllegalStateException("[DELTA_CONFIGURE_SPARK_SESSION_WITH_EXTENSION_AND_CATALOG] This"
                            + " Delta operation requires the SparkSession to be configured with ...");
                }));
    }

    @Test
    void otherMessagesAreCutToTheirFirstSentence() {
        assertEquals("logs cannot be read: no such table.", problem(() -> {
            throw new IllegalStateException("no such table;\n'Project [*]");
        }));
    }

    private static String problem(Callable<?> query) {
        return assertThrows(ConfigurationException.class, () -> SparkErrors.analyze("logs", query))
                .getMessage();
    }
}
