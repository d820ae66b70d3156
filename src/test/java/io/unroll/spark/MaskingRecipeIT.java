package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.task.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The recipe in docs/guide/sources.md that masks numbers, ids and addresses, as it is in the page. */
class MaskingRecipeIT extends LocalSparkSession {
    private static final Path PAGE = Path.of("docs/guide/sources.md");

    @Test
    void aLogWithOtherIdsIsTheSameCorpus() throws IOException {
        PreparedCorpus first = prepare(log(1));
        PreparedCorpus other = prepare(log(2));

        assertFalse(first.found());
        assertTrue(other.found());
        List<String> withDigits = first.vocabularies().tokens().symbols().stream()
                .filter(symbol -> symbol.matches(".*\\d.*"))
                .toList();
        assertEquals(List.of(), withDigits);
    }

    /** The page masks new lines for evaluate with a shell function. */
    @Test
    void shellFunctionMasksLikeTheQuery() throws IOException, InterruptedException {
        Path log = log(3);
        Path masked = folder.resolve("masked.txt");
        int status = new ProcessBuilder("bash", "-c", block("bash", "mask() ") + "\nmask")
                .redirectInput(log.toFile())
                .redirectOutput(masked.toFile())
                .start()
                .waitFor();

        assertEquals(0, status);
        List<String> queried = new RowSource(session, settings(log).corpus(), List.of("text"), false)
                .rows().map(row -> row.value("text")).collect().stream()
                        .sorted()
                        .toList();
        assertEquals(Files.readAllLines(masked).stream().sorted().toList(), queried);
        assertTrue(queried.contains(
                "<number> <number> <number> INFO dfs.DataNode: <address> Served block <id> to /<address>"));
    }

    private static PreparedCorpus prepare(Path log) throws IOException {
        Settings settings = settings(log);
        return CorpusPreparation.of(session, settings, Task.of(settings), Optional.empty())
                .prepare();
    }

    private static Settings settings(Path log) throws IOException {
        String configuration = block("hocon", "regexp_replace").replace("HDFS_2k.log", log.toString());
        return SettingsReader.parse(configuration + "\nrun.directory = \"" + folder.resolve("run") + "\"", "test");
    }

    /** @return the block of code in this language that contains the text */
    private static String block(String language, String text) throws IOException {
        return Stream.of(Files.readString(PAGE).split("(?m)^```"))
                .filter(block -> block.startsWith(language + "\n") && block.contains(text))
                .findFirst()
                .orElseThrow()
                .substring(language.length());
    }

    /** @return a log of the kind that the page masks, with ids, addresses and numbers of this seed */
    private static Path log(int seed) throws IOException {
        List<String> lines = IntStream.range(0, 40)
                .mapToObj(i -> {
                    String id = "blk_" + (i % 3 == 0 ? "-" : "") + (seed * 7_000_001L + i);
                    String address = "10.251." + seed + "." + i;
                    return "081109 2036%02d %d INFO ".formatted(i, seed)
                            + (i % 2 == 0
                                    ? "dfs.DataNode: " + address + ":50010 Served block " + id + " to /" + address
                                    : "dfs.DataBlockScanner: Verification succeeded for " + id);
                })
                .toList();
        return Files.write(folder.resolve("log-" + seed + ".txt"), lines);
    }
}
