package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import io.unroll.Unroll.Output;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A text corpus four times as large as the heap. */
@Tag("nightly")
class BigCorpusIT {
    @TempDir
    private Path folder;

    @Test
    void preparesAndTrainsInASmallHeap() throws Exception {
        long characters = write(folder.resolve("text"), 4L << 30);
        Files.writeString(
                folder.resolve("conf"),
                """
                corpus.path = "%1$s/text"
                model { hidden = 32, layers = 1 }
                training { epochs = 1, batch = 4, tbptt = 16 }
                cluster.averaging.every = 1000
                run.directory = "%1$s/run"
                """
                        .formatted(folder));

        Output prepared = start("prepare", "--json").end();
        assertEquals(0, prepared.status(), prepared.err());
        assertEquals(characters, prepared.json().get("tokens").asLong());

        Unroll.Running training = start("train");
        assertTrue(training.shows("round 2/"), training.progress());
        training.process().destroyForcibly().waitFor();
        assertTrue(training.progress().contains("found in "), training.progress());
    }

    private Unroll.Running start(String command, String... more) throws IOException {
        String[] arguments = new String[6 + more.length];
        System.arraycopy(
                new String[] {
                    "--master",
                    "local[2]",
                    "--driver-memory",
                    "1g",
                    command,
                    folder.resolve("conf").toString()
                },
                0,
                arguments,
                0,
                6);
        System.arraycopy(more, 0, arguments, 6, more.length);
        return new Unroll(folder).start(arguments);
    }

    /** @return the number of characters written, one byte each */
    private static long write(Path file, long minBytes) throws IOException {
        String lines = SampleText.lines(50_000);
        long written = 0;
        try (Writer out = Files.newBufferedWriter(file)) {
            for (; written < minBytes; written += lines.length()) {
                out.write(lines);
            }
        }
        return written;
    }
}
