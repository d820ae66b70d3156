package io.unroll.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks the formula for {@code spark.executor.memoryOverhead} on an executor with the smallest heap that Spark allows.
 */
class ExecutorMemoryIT {
    private static final long HEAP_MIB = 480;
    private static final long LIBRARIES_MIB = 300;

    @TempDir
    private Path folder;

    @Tag("full")
    @Test
    void usesNoMoreThanTheHeapAndTheEstimatedOverhead() throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(12_000));
        Files.writeString(
                folder.resolve("run.conf"),
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/text", validation = 0.05, test = 0 }
                model { hidden = 384, layers = 1 }
                training { epochs = 2, batch = 128, tbptt = 256 }
                cluster { replicas = 2, averaging.every = 1 }
                """
                        .formatted(folder));
        Unroll.Running running = new Unroll(folder)
                .start(
                        "--master",
                        "local-cluster[1,2," + HEAP_MIB + "]",
                        "--conf",
                        "spark.executor.memory=" + HEAP_MIB + "m",
                        "--conf",
                        "spark.ui.enabled=false",
                        "train",
                        folder.resolve("run.conf").toString());
        long peak = 0;
        while (running.process().isAlive()) {
            for (ProcessHandle executor : running.executors()) {
                peak = Math.max(peak, peakMebibytes(executor));
            }
            Thread.sleep(100);
        }
        Unroll.Output output = running.end();

        assertEquals(0, output.status(), output.err());
        Matcher estimate =
                Pattern.compile("a replica takes about ([\\d,]+) MiB").matcher(output.err());
        assertTrue(estimate.find(), output.err());
        long replicaMib = Long.parseLong(estimate.group(1).replace(",", ""));
        long estimatedMib = HEAP_MIB + LIBRARIES_MIB + Math.round(1.25 * 2 * replicaMib);
        assertTrue(peak <= estimatedMib, peak + " MiB, but estimated " + estimatedMib);
        assertTrue(peak > 4 * HEAP_MIB, peak + " MiB: JavaCPP's own limit would not have been reached");
    }

    /** @return the peak resident memory; 0 if the process has ended */
    private static long peakMebibytes(ProcessHandle process) {
        try {
            String status = Files.readString(Path.of("/proc/" + process.pid() + "/status"));
            Matcher peak = Pattern.compile("VmHWM:\\s+(\\d+) kB").matcher(status);
            return peak.find() ? Long.parseLong(peak.group(1)) >> 10 : 0;
        } catch (IOException e) {
            return 0;
        }
    }
}
