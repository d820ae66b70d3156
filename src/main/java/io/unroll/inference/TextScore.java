package io.unroll.inference;

import java.util.List;

/**
 * How surprising a text is to a language model.
 *
 * @param score mean bits per token; lower is less surprising
 * @param maxBits surprisal of the most surprising token, in bits
 * @param maxPosition index of this token in the text, from 0; the end of the text counts as a token
 * @param maxToken this token
 * @param maxContext the text around this token
 * @param maxRank largest rank of a token: 1 + the number of tokens that the model found strictly more probable
 * @param expected the five most probable tokens at {@code maxPosition}, the most probable first
 * @param tokens number of predicted tokens: those of the text, and its end
 * @param unknownTokens number of tokens that are not in the vocabulary
 * @param bits surprisal of each token, in bits; empty unless it was asked for
 * @param unscored why the text has no score, and NaN as its score and maximum; null if it has one
 */
public record TextScore(
        double score,
        double maxBits,
        int maxPosition,
        String maxToken,
        String maxContext,
        int maxRank,
        List<String> expected,
        int tokens,
        int unknownTokens,
        float[] bits,
        Unscored unscored) {
    /** Why a text cannot be read. */
    public enum Unscored {
        NULL,
        EMPTY,
        TOO_LONG,
        MALFORMED
    }

    static TextScore unscored(Unscored reason) {
        return new TextScore(Double.NaN, Double.NaN, 0, null, null, 0, List.of(), 0, 0, new float[0], reason);
    }
}
