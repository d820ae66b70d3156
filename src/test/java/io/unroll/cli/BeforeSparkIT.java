package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Unroll.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Invalid input is refused before Spark starts and before any work is done. */
class BeforeSparkIT {
    private static final AtomicInteger SESSIONS = new AtomicInteger();

    private static final String OLD_REPORT = "<title>Inside the model</title>";

    @TempDir
    private static Path folder;

    private static Path conf;

    /** Counts sessions: Spark creates one instance per session. */
    public static final class SessionCounter extends SparkListener {
        public SessionCounter() {
            SESSIONS.incrementAndGet();
        }
    }

    @BeforeAll
    static void write() throws IOException {
        System.setProperty("spark.extraListeners", SessionCounter.class.getName());
        Files.writeString(folder.resolve("text.txt"), "the cat sat on the mat\n".repeat(40));
        Files.writeString(folder.resolve("file"), "");
        conf = folder.resolve("run.conf");
        Files.writeString(
                conf,
                """
                run.directory = "%1$s/run"
                corpus { path = "%1$s/text.txt", tokenizer = word, min-count = 2, validation = 0, test = 0 }
                model { hidden = 4, layers = 1, cell = rnn }
                training { epochs = 1, batch = 2, tbptt = 4 }
                cluster.replicas = 1
                """
                        .formatted(folder));
        assertEquals(0, InProcess.unroll("train", conf.toString()).status());
        assertEquals(1, SESSIONS.get());
    }

    @AfterAll
    static void removeListener() {
        System.clearProperty("spark.extraListeners");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train CONF run.directory=OTHER corpus.malformed=skip         | corpus.malformed is skip, but task = language-model reads a text corpus",
                "train CONF run.directory=OTHER model.attention=general       | model.attention is general",
                "train CONF run.directory=OTHER task=captioning               | corpus.images is not set",
                "train CONF run.directory=OTHER task=classification model.tied=true model.hidden=8 | model.tied is true",
                "train CONF run.directory=FOLDER/file/run                     | file/run cannot be written: ",
                "train CONF run.directory=/proc/none                          | /proc/none cannot be written: ",
                "train CONF run.directory=OTHER corpus.prepared=/proc/none    | Give another corpus.prepared.",
                "prepare CONF corpus.malformed=skip                           | corpus.malformed is skip, but task = language-model reads a text corpus",
                "prepare CONF corpus.prepared=FOLDER/file/x                   | file/x cannot be written: ",
                "prepare CONF training.start-from=FOLDER/none                 | training.start-from: ",
                "evaluate FOLDER/run FOLDER/text.txt corpus.malformed=skip    | corpus.malformed is skip, but task = language-model reads a text corpus",
                "evaluate FOLDER/run                                          | give either TEXT or --part",
                "publish FOLDER/run FOLDER/file/target FOLDER/text.txt        | Give another TARGET.",
                "publish FOLDER/run /proc/none FOLDER/text.txt                | Give another TARGET.",
                "publish FOLDER/run OTHER FOLDER/text.txt --tolerance -1      | --tolerance is -1.0; it must be 0 or more.",
                "inspect FOLDER/run FOLDER/text.txt --out /proc/none          | --out is /proc/none, which cannot be written",
                "inspect FOLDER/run FOLDER/text.txt --out FOLDER              | , a folder; it must be a file to write.",
                "inspect FOLDER/run FOLDER/text.txt --out OTHER/x             | , in a folder that does not exist",
            })
    void invalidInputIsRefusedBeforeSparkStarts(String template, String expected) {
        int sessionsBefore = SESSIONS.get();

        Output output = unroll(template);

        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().contains(expected), output.err());
        assertEquals(1, output.err().strip().lines().count(), output.err());
        assertEquals(sessionsBefore, SESSIONS.get());
        assertFalse(Files.exists(folder.resolve("other")));
    }

    @ParameterizedTest
    @CsvSource({
        "generate MODEL,--length",
        "generate MODEL,--temperature",
        "generate MODEL,--top-k",
        "generate MODEL,--top-p",
        "generate MODEL,--seed",
        "generate MODEL,--beam",
        "evaluate MODEL TEXT,--beam",
        "inspect MODEL TEXT,--tokens",
        "publish MODEL OTHER TEXT,--tolerance",
        "bench,--hidden",
        "bench,--threads",
        "bench,--replicas",
        "bench,--rounds",
    })
    void anInvalidNumberInAnOptionIsRefused(String template, String option) {
        String model = folder.resolve("run").toString();
        String text = folder.resolve("text.txt").toString();
        for (String value : List.of(
                "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9223372036854775808e9999", "1d", "0x1", "", "x")) {
            Output output = unroll(template.replace("MODEL", model).replace("TEXT", text) + " " + option + "=" + value);

            assertEquals(2, output.status(), output.err());
            assertTrue(output.err().contains(option), output.err());
            assertTrue(output.err().contains("it must be "), output.err());
            assertEquals(1, output.err().strip().lines().count(), output.err());
        }
        if (!option.equals("--seed")) {
            Output negative = unroll(template.replace("MODEL", model).replace("TEXT", text) + " " + option + "=-3");
            assertEquals(2, negative.status(), negative.err());
            assertTrue(negative.err().matches("(?s)unroll: " + option + " is -3.*; it must be .*"), negative.err());
        }
    }

    /** Unroll expands {@code ~} by itself: shells do it only at the start of an argument, schedulers never. */
    @ParameterizedTest
    @CsvSource({
        "train ~other/x",
        "prepare ~other/x",
        "generate ~other/x",
        "generate FOLDER/run --image=~other/x",
        "evaluate ~other/x FOLDER/text.txt",
        "evaluate FOLDER/run ~other/x",
        "publish ~other/x FOLDER/target FOLDER/text.txt",
        "publish FOLDER/run ~other/x FOLDER/text.txt",
        "publish FOLDER/run FOLDER/target ~other/x",
        "inspect ~other/x FOLDER/text.txt",
        "inspect FOLDER/run ~other/x",
        "inspect FOLDER/run FOLDER/text.txt --out=~other/x",
    })
    void onlyTheHomeFolderOfTheUserIsExpanded(String template) {
        Output refused = unroll(template);
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains("~other/x: only ~/, your own home folder, is expanded"), refused.err());

        if (template.contains("--image")) {
            return; // A language model takes no image, so the file is not looked for.
        }
        // A message about a missing file contains the expanded path.
        String name = "no-such-name-9b1c/y";
        Output missing = unroll(template.replace("~other/x", "~/" + name));
        if (!template.contains("target") || !template.contains(" ~other/x FOLDER/text.txt")) {
            assertTrue(
                    missing.err().contains(System.getenv("HOME") + "/" + name) || missing.status() == 0, missing.err());
        }
        assertFalse(Files.exists(Path.of("~")));
    }

    @Test
    void inspectKeepsAnOldReportUntilTheNewOneIsComplete() throws IOException {
        Path report = Files.writeString(folder.resolve("report.html"), OLD_REPORT);

        Output failed = unroll("inspect FOLDER/run FOLDER/file --out FOLDER/report.html");
        assertEquals(2, failed.status());
        assertEquals(OLD_REPORT, Files.readString(report));

        Output written = unroll("inspect FOLDER/run FOLDER/text.txt --out FOLDER/report.html");
        assertEquals(0, written.status(), written.err());
        assertTrue(Files.readString(report).startsWith("<!"));
    }

    private static Output unroll(String template) {
        return InProcess.unroll(Stream.of(template.split(" +"))
                .map(argument -> argument.replace("CONF", conf.toString())
                        .replace("OTHER", folder.resolve("other").toString())
                        .replace("FOLDER", folder.toString()))
                .toArray(String[]::new));
    }
}
