package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.config.Settings;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.lang3.ArrayUtils;

/**
 * Target texts of a decoder, framed by a start and an end token. Batches are made for
 * teacher forcing:
 *
 * <pre>
 *   target a b c        in    start  a      b      c
 *                       out   a      b      c      end
 *   target d            in    start  d      .      .
 *                       out   d      end    (padding)
 * </pre>
 *
 * @param untrained tokenizer of the targets
 * @param stepsBefore number of unscored steps before the start token, in which the network reads the source
 */
record TargetSequences(Tokenizer untrained, Settings.Corpus corpus, int stepsBefore) implements Serializable {
    private static final String START = "<start>";
    private static final String END = "<end>";

    static final int UNKNOWN_TOKEN = 0;
    static final int START_TOKEN = 1;
    static final int END_TOKEN = 2;

    /** Name of a metric: how many tokens are {@code <unk>}. */
    static final String UNKNOWN_TOKENS = "unknown_tokens";

    static long unknownTokens(IntStream tokens) {
        return tokens.filter(token -> token == UNKNOWN_TOKEN).count();
    }

    /** @param special more special tokens, which follow the end token */
    static TargetSequences of(
            Settings.Corpus corpus, Settings.TokenizerName tokenizer, int stepsBefore, String... special) {
        String[] symbols = ArrayUtils.addAll(new String[] {START, END}, special);
        return new TargetSequences(Tokenizer.ofField(tokenizer, symbols), corpus, stepsBefore);
    }

    Tokenizer train(Map<String, Long> counts) {
        return untrained.train(counts, corpus);
    }

    /** @return the settings that determine the tokens */
    String key() {
        return untrained.key(corpus);
    }

    /** @throws MalformedRowException if the row has no value in the column, or an empty one */
    static void checkNotBlank(Row row, String column) {
        if (row.value(column).isBlank()) {
            throw new MalformedRowException("its " + column + " is empty");
        }
    }

    /** @return the tokens of a text, without start and end */
    static int[] tokens(String text, Tokenizer tokenizer) {
        int[] tokens = tokenizer.encode(text);
        Arrays.setAll(tokens, i -> unknownIfSpecial(tokens[i]));
        return tokens;
    }

    /** Keeps a text that contains the words {@code <start>} or {@code <end>} from producing the special tokens. */
    static int unknownIfSpecial(int token) {
        return token == START_TOKEN || token == END_TOKEN ? UNKNOWN_TOKEN : token;
    }

    /** @return the number of steps of the decoder */
    int steps(int target) {
        return stepsBefore + target + 1;
    }

    Batch batch(List<Example> examples) {
        int[] lengths = examples.stream()
                .mapToInt(example -> steps(example.target().length))
                .toArray();
        int steps = IntStream.of(lengths).max().orElseThrow();
        int[] inputs = new int[lengths.length * steps];
        int[] targets = new int[lengths.length * steps];
        Arrays.fill(targets, Batch.IGNORED);
        for (int lane = 0; lane < lengths.length; lane++) {
            int[] target = examples.get(lane).target();
            int start = lane * steps + stepsBefore;
            inputs[start] = START_TOKEN;
            System.arraycopy(target, 0, inputs, start + 1, target.length);
            System.arraycopy(target, 0, targets, start, target.length);
            targets[start + target.length] = END_TOKEN;
        }
        int[][] sources =
                examples.stream().map(example -> example.source().toInts()).toArray(int[][]::new);
        boolean haveSources = !examples.get(0).source().equals(Sequence.NONE);
        return new Batch(lengths.length, steps, inputs, targets, lengths, haveSources ? sources : null);
    }

    /** @return the reference of a lane; unknown tokens become -1, so that no output matches them */
    int[] reference(Batch batch, int lane) {
        int from = lane * batch.steps();
        return Arrays.stream(batch.targets(), from + stepsBefore, from + batch.lengths()[lane] - 1)
                .map(token -> token == UNKNOWN_TOKEN ? -1 : token)
                .toArray();
    }

    static BeamSearch search(int beam) {
        return new BeamSearch(START_TOKEN, END_TOKEN, beam, false);
    }

    /** Examples whose targets are such texts. */
    interface TargetExamples extends Examples {
        TargetSequences targets();

        @Override
        default Vocabularies vocabularies(Map<String, Map<String, Long>> counts) {
            return new Vocabularies(Map.of(Vocabularies.TOKENS, targets().train(counts.get(Vocabularies.TOKENS))));
        }

        @Override
        default int steps(int source, int target) {
            return targets().steps(target);
        }

        @Override
        default Batch batch(List<Example> examples) {
            return targets().batch(examples);
        }
    }
}
