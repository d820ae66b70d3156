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

/** Runs the benchmarks against other systems (src/peers) with small networks. */
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
    void prepareBenchmarkPrintsAResult() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), SampleText.lines(5000));

        Output output = run("--class", "io.unroll.peers.PrepareBenchmark", text.toString(), "1", "char");

        assertTrue(output.out().matches("(?s).*\\n +1 +[\\d.]+ +[\\d.]+ +[\\d.]+\\n"), output.out());
    }

    @Test
    void bothTrainingMastersLearnWithinATurn() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), SampleText.lines(5000));

        Output output = run("--class", "io.unroll.peers.TrainingMasterBenchmark", text.toString(), "1", "16");

        String[] fields = output.out().strip().replaceAll("(?s).*tokens: ", "").split(" ");
        double stockLoss = Double.parseDouble(fields[0]);
        double unrollLoss = Double.parseDouble(fields[2]);
        double uniformLoss =
                Math.log((double) SampleText.lines(100).chars().distinct().count());
        assertTrue(stockLoss < uniformLoss && unrollLoss < uniformLoss, output.out());
    }

    private Output run(String... arguments) throws Exception {
        String[] withProfile = new String[arguments.length + 1];
        withProfile[0] = "-Ppeers";
        System.arraycopy(arguments, 0, withProfile, 1, arguments.length);
        // LibTorch unpacks its libraries into this folder.
        Output output = new Unroll(folder).with(Map.of("DJL_CACHE_DIR", "djl")).run(withProfile);
        assertEquals(0, output.status(), output.err());
        return output;
    }
}
