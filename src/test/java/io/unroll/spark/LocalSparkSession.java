package io.unroll.spark;

import java.nio.file.Path;
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
}
