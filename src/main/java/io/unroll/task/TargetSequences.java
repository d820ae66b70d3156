package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.text.FieldTokenizer;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Vocabulary;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Target texts of a decoder, framed by a start and an end token. An example consists of the length of its source, the
 * source, and the tokens of the target. Batches are made for teacher forcing:
 *
 * <pre>
 *   target a b c        in    start  a      b      c
 *                       out   a      b      c      end
 *   target d            in    start  d      .      .
 *                       out   d      end    (padding)
 * </pre>
 *
 * @param tokenizer tokenizer of the targets
 * @param stepsBefore number of unscored steps before the start token, in which the network reads the source
 */
record TargetSequences(FieldTokenizer tokenizer, int stepsBefore) implements Serializable {
    private static final String START = "<start>";
    private static final String END = "<end>";

    static final int UNKNOWN_TOKEN = 0;
    private static final int START_TOKEN = 1;
    private static final int END_TOKEN = 2;

    /** Name of a metric: how many tokens are {@code <unk>}. */
    static final String UNKNOWN_TOKENS = "unknown_tokens";

    static long unknownTokens(IntStream tokens) {
        return tokens.filter(token -> token == UNKNOWN_TOKEN).count();
    }

    Vocabulary vocabulary(Map<String, Long> counts) {
        return tokenizer.vocabulary(counts, START, END);
    }

    /** @throws MalformedRowException if the row has no value in the column, or an empty one */
    static String nonBlankValue(Row row, String column) {
        String value = row.value(column);
        if (value.isBlank()) {
            throw new MalformedRowException("its " + column + " is empty");
        }
        return value;
    }

    int[] example(int[] source, String target, Vocabulary vocabulary) {
        IntStream targetTokens = IntStream.concat(
                IntStream.of(source),
                IntStream.of(tokenizer.encode(target, vocabulary)).map(TargetSequences::unknownIfSpecial));
        return IntStream.concat(IntStream.of(source.length), targetTokens).toArray();
    }

    /** Keeps a text that contains the words {@code <start>} or {@code <end>} from producing the special tokens. */
    private static int unknownIfSpecial(int token) {
        return token == START_TOKEN || token == END_TOKEN ? UNKNOWN_TOKEN : token;
    }

    /** @return whether the example has a source, which is not validated, and a valid target */
    boolean isExample(int[] example, Vocabulary vocabulary) {
        return example.length > 0
                && example[0] >= 0
                && example[0] < example.length
                && vocabulary.hasTokens(example, 1 + example[0], example.length);
    }

    static int[] source(int[] example) {
        return Arrays.copyOfRange(example, 1, 1 + example[0]);
    }

    /** @return the number of tokens of the target, without start and end */
    static int tokens(int[] example) {
        return example.length - 1 - example[0];
    }

    /** @return the number of steps of the decoder */
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
        int[][] sources = examples.stream().map(TargetSequences::source).toArray(int[][]::new);
        return new Batch(lengths.length, steps, inputs, targets, lengths, sources);
    }

    /** @return the reference of a lane; unknown tokens become -1, so that no output matches them */
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
