package io.unroll.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.unroll.SampleText;
import io.unroll.Unroll;
import io.unroll.Unroll.Output;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Unroll is measured against, run small: the sources of src/peers, which nothing else uses. */
@Tag("full")
class PeersIT {
    @TempDir
    private Path folder;

    @Test
    void benchMeasuresAllSystems() throws Exception {
        JsonNode results = run("bench", "--cells", "lstm", "--hidden", "16", "--rounds", "1", "--json")
                .json();

        Set<String> peers = new HashSet<>();
        for (JsonNode result : results) {
            peers.add(result.get("peer").asText());
            assertTrue(result.get("tokens_per_second").asDouble() > 0, results.toString());
        }
        assertEquals(Set.of("unroll", "deeplearning4j", "libtorch"), peers);
    }

    @Test
    void preparingIsMeasuredBesideCounting() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), SampleText.lines(5000));

        Output output = run("--class", "io.unroll.peers.PrepareBenchmark", text.toString(), "1", "char");

        assertTrue(output.out().matches("(?s).*\\n +1 +[\\d.]+ +[\\d.]+ +[\\d.]+\\n"), output.out());
    }

    @Test
    void trainingMastersLearnTheSameWithinATurn() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), SampleText.lines(5000));

        Output output = run("--class", "io.unroll.peers.TrainingMasterBenchmark", text.toString(), "1", "16");

        String[] words = output.out().strip().replaceAll("(?s).*tokens: ", "").split(" ");
        double stock = Double.parseDouble(words[0]);
        double ours = Double.parseDouble(words[2]);
        double alike =
                Math.log((double) SampleText.lines(100).chars().distinct().count());
        assertTrue(stock < alike && ours < alike, output.out());
    }

    private Output run(String... arguments) throws Exception {
        String[] all = new String[arguments.length + 1];
        all[0] = "-Ppeers";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        // Libtorch's libraries are unpacked there.
        Output output = new Unroll(folder).with(Map.of("DJL_CACHE_DIR", "djl")).run(all);
        assertEquals(0, output.status(), output.err());
        return output;
    }
}
