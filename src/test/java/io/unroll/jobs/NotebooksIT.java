package io.unroll.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The notebooks, executed as {@code jobs/run-notebooks.sh} does it, in copies. Needs Debian's Jupyter. */
@Tag("nightly")
class NotebooksIT {
    private static final int LACKS_WHAT_IT_NEEDS = 2;

    @TempDir
    private Path folder;

    static List<Path> notebooks() throws Exception {
        try (Stream<Path> files = Files.list(Path.of("notebooks"))) {
            return files.filter(file -> file.toString().endsWith(".ipynb"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("notebooks")
    void everyCellRuns(Path notebook) throws Exception {
        Path copy = Files.copy(notebook, folder.resolve(notebook.getFileName()));
        Path log = folder.resolve("log");
        Process process = new ProcessBuilder("jobs/run-notebooks.sh", copy.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int status = process.waitFor();
        String said = Files.readString(log);
        assumeTrue(status != LACKS_WHAT_IT_NEEDS, said);
        assertEquals(0, status, said);
    }
}
