package io.unroll.text;

import io.unroll.config.UnrollException;

/** A text contains a symbol that is not in the vocabulary. */
public final class UnknownSymbolException extends UnrollException {
    UnknownSymbolException(int codePoint, String where) {
        super(String.format(
                "%s contains %s (U+%04X), which is not in the model's vocabulary: remove it, or train with text that "
                        + "contains it, or with corpus.tokenizer = byte.",
                where, shown(Character.toString(codePoint)), codePoint));
    }

    private static String shown(String character) {
        return character.matches("[\\p{C}\\p{Z}]") ? "an invisible character" : "\"" + character + "\"";
    }
}
