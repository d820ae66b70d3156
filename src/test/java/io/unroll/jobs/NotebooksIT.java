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

/** Executes a copy of each notebook with {@code notebooks/run.sh}. Needs Debian's Jupyter. */
@Tag("nightly")
class NotebooksIT {
    private static final int MISSING_DEPENDENCIES = 2;

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
    void everyCellRunsWithoutAnError(Path notebook) throws Exception {
        Path copy = Files.copy(notebook, folder.resolve(notebook.getFileName()));
        Path log = folder.resolve("log");
        Process process = new ProcessBuilder("notebooks/run.sh", copy.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int status = process.waitFor();
        String output = Files.readString(log);
        assumeTrue(status != MISSING_DEPENDENCIES, output);
        assertEquals(0, status, output);
    }
}
