package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Phrases;
import io.unroll.text.Row;
import io.unroll.text.Vocabulary;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Texts that are written token by token between a start and an end. An example is the number of its source's integers,
 * these, and the target's tokens; in a batch, the tokens lie so (teacher forcing):
 *
 * <pre>
 *   target a b c        in    start  a      b      c
 *                       out   a      b      c      end
 *   target d            in    start  d      .      .
 *                       out   d      end    not counted
 * </pre>
 *
 * @param stepsBefore steps that are not counted before the start, in which the source is read
 */
record Targets(Phrases phrases, int stepsBefore) implements Serializable {
    private static final String START = "<start>";
    private static final String END = "<end>";

    /** Places in the vocabulary. */
    static final int UNKNOWN_TOKEN = 0;

    private static final int START_TOKEN = 1;

    private static final int END_TOKEN = 2;

    /** What users read of them. */
    static final String UNKNOWN_TOKENS = "unknown_tokens";

    static long unknown(IntStream tokens) {
        return tokens.filter(token -> token == UNKNOWN_TOKEN).count();
    }

    Vocabulary vocabulary(Map<String, Long> counts) {
        return phrases.vocabulary(counts, START, END);
    }

    static String value(Row row, String column) {
        String value = row.value(column);
        if (value.isBlank()) {
            throw new MalformedRowException("its " + column + " is empty");
        }
        return value;
    }

    int[] example(int[] source, String target, Vocabulary vocabulary) {
        IntStream whole = IntStream.concat(
                IntStream.of(source),
                IntStream.of(phrases.encode(target, vocabulary)).map(Targets::plain));
        return IntStream.concat(IntStream.of(source.length), whole).toArray();
    }

    /** A text may hold the words that stand for start and end. */
    private static int plain(int token) {
        return token == START_TOKEN || token == END_TOKEN ? UNKNOWN_TOKEN : token;
    }

    /** @return whether it has a source, whatever is in it, and a target */
    boolean isExample(int[] example, Vocabulary vocabulary) {
        return example.length > 0
                && example[0] >= 0
                && example[0] < example.length
                && vocabulary.hasTokens(example, 1 + example[0], example.length);
    }

    static int[] source(int[] example) {
        return Arrays.copyOfRange(example, 1, 1 + example[0]);
    }

    static int tokens(int[] example) {
        return example.length - 1 - example[0];
    }

    /** @return steps in which the target is written */
    int steps(int[] example) {
        return stepsBefore + tokens(example) + 1;
    }

    Batch batch(List<int[]> examples) {
        int[] lengths = examples.stream().mapToInt(this::steps).toArray();
        int steps = IntStream.of(lengths).max().orElseThrow();
        int[] inputs = new int[lengths.length * steps];
        int[] targets = new int[lengths.length * steps];
        Arrays.fill(targets, Batch.IGNORED);
        for (int lane = 0; lane < lengths.length; lane++) {
            int[] example = examples.get(lane);
            int start = lane * steps + stepsBefore;
            int tokens = tokens(example);
            inputs[start] = START_TOKEN;
            System.arraycopy(example, 1 + example[0], inputs, start + 1, tokens);
            System.arraycopy(example, 1 + example[0], targets, start, tokens);
            targets[start + tokens] = END_TOKEN;
        }
        int[][] sources = examples.stream().map(Targets::source).toArray(int[][]::new);
        return new Batch(lengths.length, steps, inputs, targets, lengths, sources);
    }

    /** @return what a lane of such a batch should write; where its symbol is unknown, a token that nothing equals */
    int[] reference(Batch batch, int lane) {
        int from = lane * batch.steps();
        return Arrays.stream(batch.targets(), from + stepsBefore, from + batch.lengths()[lane] - 1)
                .map(token -> token == UNKNOWN_TOKEN ? -1 : token)
                .toArray();
    }

    static BeamSearch search(int beam) {
        return new BeamSearch(START_TOKEN, END_TOKEN, beam);
    }
}
