package io.unroll.inference;

import io.unroll.inference.TextScore.Unscored;

/**
 * A text as a vector.
 *
 * @param values {@code model.hidden} numbers; null if the text cannot be read
 * @param unscored why the text cannot be read; null if it can
 */
public record TextVector(float[] values, Unscored unscored) {}
