package io.unroll.text;

import io.unroll.config.UnrollException;

/** A text contains a symbol that is not in the vocabulary. */
public final class UnknownSymbolException extends UnrollException {
    UnknownSymbolException(int codePoint, String where) {
        super(String.format(
                "%s contains %s (U+%04X), which is not in the model's vocabulary: remove it, or train with text that "
                        + "contains it, or with corpus.tokenizer = byte.",
                where, isVisible(codePoint) ? quoted(codePoint) : "an invisible character", codePoint));
    }

    private static boolean isVisible(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SPACE_SEPARATOR,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.PRIVATE_USE,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }

    private static String quoted(int codePoint) {
        return "\"" + Character.toString(codePoint) + "\"";
    }
}
