package io.unroll.task;

import java.util.function.ToIntFunction;

/**
 * What a user asks of a model.
 *
 * @param image a file's content; null for none
 * @param length tokens to write, where the answer has no end of its own
 * @param draw takes unnormalised log-probabilities, one a token, and gives one of the tokens
 * @param beam beginnings that are kept where the most probable answer is searched for
 */
public record Prompt(String text, byte[] image, int length, ToIntFunction<float[]> draw, int beam) {}
