package io.unroll.inference;

import io.unroll.task.LanguageModel;
import io.unroll.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Computes the score of a text from the probabilities of its tokens. */
final class ScoreReader implements LaneRuns.Reader {
    private static final int EXPECTED = 5;
    private static final int CONTEXT_BEFORE = 30;
    private static final int CONTEXT_AFTER = 10;
    private static final double LN_2 = Math.log(2);

    private final int[] tokens;
    private final int vocabulary;
    private final double[] bits;
    private final int[] ranks;
    private double sum;
    private double maxBits = Double.NEGATIVE_INFINITY;
    private int maxStep;
    private int maxRank;
    private int[] expected = {};

    /**
     * @param tokens of the text, after the token that precedes it
     * @param vocabulary number of tokens of the vocabulary
     * @param keepsBits whether the surprisal and the rank of each token are kept
     */
    ScoreReader(int[] tokens, int vocabulary, boolean keepsBits) {
        this.tokens = tokens;
        this.vocabulary = vocabulary;
        this.bits = new double[keepsBits ? tokens.length - 1 : 0];
        this.ranks = new int[bits.length];
    }

    /** @return what the network reads: all tokens except the last one */
    int[] inputs() {
        return Arrays.copyOf(tokens, tokens.length - 1);
    }

    @Override
    public void read(int step, float[] logProbabilities, int from) {
        float own = logProbabilities[from + tokens[step + 1]];
        double surprisal = -own / LN_2;
        sum += surprisal;
        int rank = rank(own, logProbabilities, from);
        maxRank = Math.max(maxRank, rank);
        if (bits.length > 0) {
            bits[step] = surprisal;
            ranks[step] = rank;
        }
        if (surprisal > maxBits) {
            maxBits = surprisal;
            maxStep = step;
            expected = mostProbable(logProbabilities, from);
        }
    }

    private int rank(float own, float[] logProbabilities, int from) {
        int rank = 1;
        for (int i = from; i < from + vocabulary; i++) {
            rank += logProbabilities[i] > own ? 1 : 0;
        }
        return rank;
    }

    private int[] mostProbable(float[] logProbabilities, int from) {
        int[] best = new int[Math.min(EXPECTED, vocabulary)];
        int found = 0;
        for (int token = 0; token < vocabulary; token++) {
            float value = logProbabilities[from + token];
            if (found == best.length && value <= logProbabilities[from + best[found - 1]]) {
                continue;
            }
            int place = found < best.length ? found++ : found - 1;
            while (place > 0 && value > logProbabilities[from + best[place - 1]]) {
                best[place] = best[place - 1];
                place--;
            }
            best[place] = token;
        }
        return best;
    }

    /** @return number of predicted tokens */
    int tokens() {
        return tokens.length - 1;
    }

    int unknownTokens(LanguageModel task) {
        return task.unknownTokens(tokens);
    }

    /** The mean surprisal of a row in bits, and the largest rank of its tokens. */
    record RowScore(double bits, int maxRank) {}

    /** @return the scores of the rows of a document, whose surprisals and ranks were kept */
    List<RowScore> rowScores(IntPredicate separatesRows) {
        List<RowScore> scores = new ArrayList<>();
        double rowSum = 0;
        int rowRank = 0;
        int first = 0;
        for (int i = 0; i < bits.length; i++) {
            rowSum += bits[i];
            rowRank = Math.max(rowRank, ranks[i]);
            if (i == bits.length - 1 || separatesRows.test(tokens[i + 1])) {
                scores.add(new RowScore(rowSum / (i + 1 - first), rowRank));
                rowSum = 0;
                rowRank = 0;
                first = i + 1;
            }
        }
        return scores;
    }

    /** @param text whose tokens these are */
    TextScore score(LanguageModel task, Tokenizer tokenizer, String text) {
        List<String> mostProbable =
                IntStream.of(expected).mapToObj(tokenizer::symbol).toList();
        return new TextScore(
                sum / tokens(),
                maxBits,
                maxStep,
                task.unknownTokens(new int[] {tokens[maxStep + 1]}) > 0
                        ? tokenizer.symbol(text, maxStep)
                        : tokenizer.symbol(tokens[maxStep + 1]),
                context(task.decoder(tokenizer)),
                maxRank,
                mostProbable,
                tokens(),
                unknownTokens(task),
                floats(bits),
                null);
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** Returns the text around the most surprising token, without what stands before and after the text. */
    private String context(Tokenizer.Decoder decoder) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int end = Math.min(tokens.length - 1, maxStep + 2 + CONTEXT_AFTER);
        for (int i = Math.max(1, maxStep + 1 - CONTEXT_BEFORE); i < end; i++) {
            text.writeBytes(decoder.decode(tokens[i]));
        }
        return text.toString(StandardCharsets.UTF_8);
    }
}
