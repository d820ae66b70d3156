package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class MainTest {
    @Test
    void noStackTracesAreShownAfterAnInterrupt() {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        AtomicBoolean interrupted = new AtomicBoolean();
        Exception exception = new RejectedExecutionException("stopped", new IllegalStateException("cause"));

        try (PrintStream errorStream = new Main.ErrorStream(written, interrupted::get)) {
            exception.printStackTrace(errorStream);
            String trace = written.toString(StandardCharsets.UTF_8);
            assertTrue(trace.contains("stopped") && trace.contains("\tat "), trace);

            written.reset();
            interrupted.set(true);
            exception.printStackTrace(errorStream);
            errorStream.println("run the same command again to resume");
        }

        assertEquals(
                "run the same command again to resume" + System.lineSeparator(),
                written.toString(StandardCharsets.UTF_8));
    }
}
