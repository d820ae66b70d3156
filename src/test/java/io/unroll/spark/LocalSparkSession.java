package io.unroll.spark;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Gives all tests of a class one session of local Spark and one folder. */
abstract class LocalSparkSession {
    @TempDir
    static Path folder;

    static Session session;

    @BeforeAll
    static void startSession() {
        session = TestRuns.startSession();
    }

    @AfterAll
    static void closeSession() {
        session.close();
    }

    /** @param ansi whether casts, overflows and other errors in values throw exceptions, as by default in Spark 4 */
    static <T> T inAnsiMode(boolean ansi, Callable<T> test) throws Exception {
        session.sql().conf().set("spark.sql.ansi.enabled", ansi);
        try {
            return test.call();
        } finally {
            session.sql().conf().unset("spark.sql.ansi.enabled");
        }
    }
}
