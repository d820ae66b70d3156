package io.unroll.text;

import io.unroll.config.UnrollException;

/** A text holds a symbol that the vocabulary lacks. */
public final class UnknownSymbolException extends UnrollException {
    UnknownSymbolException(int codePoint, String where) {
        super(String.format(
                "%s holds %s (U+%04X), which the model's vocabulary lacks: leave it out, or train with text that has "
                        + "it, or with corpus.tokenizer = byte.",
                where, Character.isISOControl(codePoint) ? "a control character" : quoted(codePoint), codePoint));
    }

    private static String quoted(int codePoint) {
        return "\"" + Character.toString(codePoint) + "\"";
    }
}
