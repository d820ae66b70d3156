package io.unroll.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
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
    private static final int MAX_TOKENS = 4;
    private static final int[] LIMITS = {MAX_TOKENS, MAX_TOKENS, MAX_TOKENS, MAX_TOKENS};
    private static final int[][] SOURCES = {{1, 2, 3}, {2}, {3, 3}, {0, 1}};

    /** With a beam that keeps every hypothesis, the result equals that of an exhaustive search. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void wideBeamFindsTheMostProbableSequence(long seed) {
        try (Network network = network(seed)) {
            List<Task.Answer> found = new BeamSearch(START, END, 4 * 4 * 4 * 4, false).decode(network, SOURCES, LIMITS);
            for (int i = 0; i < SOURCES.length; i++) {
                int[] source = SOURCES[i];
                int[] best = sequences(MAX_TOKENS).stream()
                        .filter(sequence -> sequence.length > 0)
                        .max(Comparator.comparingDouble(sequence -> logProbability(network, source, sequence)))
                        .orElseThrow();
                assertArrayEquals(best, found.get(i).tokens());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void beamOfOneIsGreedy(long seed) {
        try (Network network = network(seed)) {
            List<Task.Answer> found = new BeamSearch(START, END, 1, false).decode(network, SOURCES, LIMITS);
            for (int i = 0; i < SOURCES.length; i++) {
                network.encode(new int[][] {SOURCES[i]});
                List<Integer> greedy = new ArrayList<>();
                int last = START;
                while (greedy.size() < MAX_TOKENS) {
                    float[] logits = network.nextLogits(last);
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
                assertArrayEquals(
                        greedy.stream().mapToInt(Integer::intValue).toArray(),
                        found.get(i).tokens());
            }
        }
    }

    /** @return all sequences of up to {@code maxTokens} tokens; shorter ones end with the end token */
    private static List<int[]> sequences(int maxTokens) {
        List<int[]> sequences = new ArrayList<>(List.of(new int[0]));
        for (int i = 0; i < sequences.size(); i++) {
            int[] shorter = sequences.get(i);
            for (int token : new int[] {0, 3, 4}) {
                if (shorter.length < maxTokens) {
                    int[] longer = Arrays.copyOf(shorter, shorter.length + 1);
                    longer[shorter.length] = token;
                    sequences.add(longer);
                }
            }
        }
        return sequences;
    }

    private static double logProbability(Network network, int[] source, int[] sequence) {
        boolean ends = sequence.length < MAX_TOKENS;
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
        Tokenizer targets = Tokenizer.of(TokenizerName.WORD, List.of("<unk>", "<start>", "<end>", "a", "b"));
        Tokenizer sources = Tokenizer.of(TokenizerName.WORD, List.of("<unk>", "x", "y", "z"));
        Network network = new Network(
                task.network(new Vocabularies(Map.of(Vocabularies.TOKENS, targets, "source", sources))), seed);
        float[] parameters = network.parameters();
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] *= 3;
        }
        network.setParameters(parameters);
        return network;
    }
}
