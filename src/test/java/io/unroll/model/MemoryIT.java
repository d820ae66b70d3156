package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.Batch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Measures the resident memory of new JVMs, which touch their entire heap at the start. */
@Tag("full")
class MemoryIT {
    private static final int LANES = 64;
    private static final int STEPS = 64;
    private static final String SMALL = "cell = lstm, layers = 2, hidden = 32";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cell = lstm, hidden = 512",
                "cell = lstm, hidden = 256, layers = 3, precision = bfloat16",
                "cell = gru, hidden = 512, layers = 1",
                "cell = rnn, hidden = 640, embedding = 64",
            })
    void replicaMemoryIsNearTheEstimate(String model) throws Exception {
        long measured = run("replica", model).get(0);
        long predicted = ReplicaMemory.bytes(shape(model), LANES, STEPS);

        double ratio = (double) predicted / measured;
        assertTrue(ratio > 0.8 && ratio < 1.2, predicted + " predicted, " + measured + " measured: " + ratio);
    }

    @Test
    void memoryDoesNotGrowBetween200And2000Rounds() throws Exception {
        List<Long> resident = run("rounds", SMALL);

        assertEquals(2, resident.size());
        long growth = resident.get(1) - resident.get(0);
        // 9 KiB for each round; the JVM's own memory varies by some MiB.
        assertTrue(growth < 16 << 20, resident + ": " + growth + " bytes more");
    }

    private static NetworkShape shape(String model) {
        return TestShapes.shape(96, model);
    }

    private static List<Long> run(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms256m",
                "-Xmx256m",
                "-XX:+AlwaysPreTouch",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Probe.class.getName(),
                arguments[0],
                arguments[1]);
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.lines().map(Long::parseLong).toList();
    }

    /** Main class of the JVMs; prints bytes. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws IOException {
            warmUp(SMALL);
            if (arguments[0].equals("replica")) {
                replica(arguments[1]);
            } else {
                rounds(arguments[1]);
            }
        }

        /** Loads the libraries and classes that all networks share. */
        private static void warmUp(String model) {
            try (Network network = new Network(shape(model), 1)) {
                network.train(batch(4, 4, 0), 0.01, 5, 0, 0);
                network.evaluate(batch(4, 4, 0));
            }
        }

        private static void replica(String model) throws IOException {
            long before = resident();
            try (Network network = new Network(shape(model), 1)) {
                for (int i = 0; i < 3; i++) {
                    network.train(batch(LANES, STEPS, i), 0.01, 5, i, 0);
                }
                network.evaluate(batch(LANES, STEPS, 0));
                System.out.println(resident() - before);
            }
        }

        /** Rounds of two chunks, the second one shorter, with a validation after every tenth round. */
        private static void rounds(String model) throws IOException {
            try (Network network = new Network(shape(model), 1)) {
                for (int round = 1; round <= 2000; round++) {
                    network.setParameters(network.parameters());
                    network.setOptimizerState(network.optimizerState());
                    network.setState(round % 10 == 0 ? RecurrentState.ZERO : network.state());
                    network.train(batch(8, 8, round), 0.01, 5, round, 0);
                    network.train(batch(8, 5, round), 0.01, 5, round, 0);
                    if (round % 10 == 0) {
                        network.setState(RecurrentState.ZERO);
                        network.evaluate(batch(3, 1 + round % 7, round));
                        network.setState(RecurrentState.ZERO);
                    }
                    if (round == 200 || round == 2000) {
                        System.gc();
                        System.out.println(resident());
                    }
                }
            }
        }

        private static Batch batch(int lanes, int steps, int seed) {
            SplittableRandom random = new SplittableRandom(seed);
            int[] tokens = random.ints((long) lanes * steps, 0, 96).toArray();
            return new Batch(lanes, steps, tokens, tokens);
        }

        private static long resident() throws IOException {
            String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
            return Long.parseLong(pages) * 4096;
        }
    }
}
