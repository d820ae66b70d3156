/**
 * Converts text to tokens and back, in plain Java. Read {@link io.unroll.text.Tokenizer} first, then
 * {@link io.unroll.text.Vocabulary}.
 */
package io.unroll.text;
