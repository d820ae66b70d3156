package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.execution.datasources.DataSource;
import org.apache.spark.sql.internal.SQLConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sentences for what Spark rejects. */
class SparkErrorsTest {
    private static final String DELTA = "jobs/unroll --packages io.delta:delta-spark_\\d.\\d+:\\d.\\d.\\d"
            + " --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"
            + " --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog ...";

    /** @param pattern whose dots are dots, or any character */
    private static void assertLike(String pattern, String actual) {
        assertTrue(actual.matches(pattern), actual);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "avro   | Add its package: jobs/unroll --packages org.apache.spark:spark-avro_\\d.\\d+:\\d.\\d.\\d ...",
                "delta  | Add its package and its settings: " + DELTA,
                "parqet | Correct the name, or add the package of the format: jobs/unroll --packages"
                        + " GROUP:ARTIFACT:VERSION ...",
            })
    void missingFormatNamesItsPackage(String format, String advice) {
        assertLike(
                "logs cannot be read: this Spark has no format " + format + ". " + advice,
                problem(() -> DataSource.lookupDataSource(format, new SQLConf())));
    }

    @Test
    void missingSettingsOfDeltaAreNamed() {
        assertLike(
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
