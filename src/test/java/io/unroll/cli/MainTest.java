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
    void anInterruptedProcessShowsNoTraces() {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        AtomicBoolean interrupted = new AtomicBoolean();
        Exception trouble = new RejectedExecutionException("stopped", new IllegalStateException("cause"));

        try (PrintStream messages = new Main.Messages(shown, interrupted::get)) {
            trouble.printStackTrace(messages);
            String trace = shown.toString(StandardCharsets.UTF_8);
            assertTrue(trace.contains("stopped") && trace.contains("\tat "), trace);

            shown.reset();
            interrupted.set(true);
            trouble.printStackTrace(messages);
            messages.println("run the same command again to resume");
        }

        assertEquals(
                "run the same command again to resume" + System.lineSeparator(),
                shown.toString(StandardCharsets.UTF_8));
    }
}
