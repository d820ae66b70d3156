package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.unroll.chunk.Batch;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BeamSearchTest {
    private static final int START = 1;
    private static final int END = 2;
    private static final int MOST = 4;
    private static final int[] LIMITS = {MOST, MOST, MOST, MOST};
    private static final int[][] SOURCES = {{1, 2, 3}, {2}, {3, 3}, {0, 1}};

    /** So wide that nothing falls out, the search finds what trying all sequences finds. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aWideBeamFindsTheMostProbableSequence(long seed) {
        try (Network network = network(seed)) {
            List<int[]> found = new BeamSearch(START, END, 4 * 4 * 4 * 4).decode(network, SOURCES, LIMITS);
            for (int i = 0; i < SOURCES.length; i++) {
                int[] source = SOURCES[i];
                int[] best = sequences(MOST).stream()
                        .filter(sequence -> sequence.length > 0)
                        .max(Comparator.comparingDouble(sequence -> logProbability(network, source, sequence)))
                        .orElseThrow();
                assertArrayEquals(best, found.get(i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aBeamOfOneTakesTheMostProbableToken(long seed) {
        try (Network network = network(seed)) {
            List<int[]> found = new BeamSearch(START, END, 1).decode(network, SOURCES, LIMITS);
            for (int i = 0; i < SOURCES.length; i++) {
                network.read(new int[][] {SOURCES[i]});
                List<Integer> greedy = new ArrayList<>();
                int last = START;
                while (greedy.size() < MOST) {
                    float[] logits = network.next(last);
                    last = IntStream.range(0, logits.length)
                            .filter(token -> token != START && (token != END || !greedy.isEmpty()))
                            .boxed()
                            .max(Comparator.comparing(token -> logits[token]))
                            .orElseThrow();
                    if (last == END) {
                        break;
                    }
                    greedy.add(last);
                }
                assertArrayEquals(greedy.stream().mapToInt(Integer::intValue).toArray(), found.get(i));
            }
        }
    }

    /** Those of fewer tokens than the most end; those of the most are cut off. */
    private static List<int[]> sequences(int most) {
        List<int[]> all = new ArrayList<>(List.of(new int[0]));
        for (int i = 0; i < all.size(); i++) {
            int[] shorter = all.get(i);
            for (int token : new int[] {0, 3, 4}) {
                if (shorter.length < most) {
                    int[] longer = Arrays.copyOf(shorter, shorter.length + 1);
                    longer[shorter.length] = token;
                    all.add(longer);
                }
            }
        }
        return all;
    }

    private static double logProbability(Network network, int[] source, int[] sequence) {
        boolean ends = sequence.length < MOST;
        int steps = sequence.length + (ends ? 1 : 0);
        int[] inputs = new int[steps];
        int[] targets = new int[steps];
        Arrays.fill(targets, END);
        inputs[0] = START;
        System.arraycopy(sequence, 0, targets, 0, sequence.length);
        System.arraycopy(sequence, 0, inputs, 1, steps - 1);
        Batch batch = new Batch(1, steps, inputs, targets, new int[] {steps}, new int[][] {source});
        return -network.evaluate(batch).sum();
    }

    private static Network network(long seed) {
        Task task = Task.of(SettingsReader.parse(
                "task = seq2seq, run.directory = r, corpus.path = p, model { hidden = 6, layers = 2, attention = "
                        + (seed == 3 ? "general" : "none") + " }",
                "test"));
        Vocabulary targets = new Vocabulary(null, List.of("<unk>", "<start>", "<end>", "a", "b"));
        Vocabulary sources = new Vocabulary(null, List.of("<unk>", "x", "y", "z"));
        Network network = new Network(
                task.network(new Vocabularies(Map.of(Vocabularies.TOKENS, targets, "source", sources))), seed);
        float[] sharper = network.parameters();
        for (int i = 0; i < sharper.length; i++) {
            sharper[i] *= 3;
        }
        network.setParameters(sharper);
        return network;
    }
}
