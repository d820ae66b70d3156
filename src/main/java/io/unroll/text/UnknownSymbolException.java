package io.unroll.text;

import io.unroll.config.UnrollException;

/** A text holds a symbol that the vocabulary lacks. */
public final class UnknownSymbolException extends UnrollException {
    UnknownSymbolException(int codePoint, String where) {
        super(String.format(
                "%s holds %s (U+%04X), which the model's vocabulary lacks: leave it out, or train with text that has "
                        + "it, or with corpus.tokenizer = byte.",
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
