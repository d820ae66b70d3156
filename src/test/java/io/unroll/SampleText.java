package io.unroll;

import java.util.SplittableRandom;

/** A text with enough structure for a small network to learn. */
public final class SampleText {
    private SampleText() {}

    /** @return lines in two languages; deterministic */
    public static String lines(int count) {
        SplittableRandom random = new SplittableRandom(3);
        StringBuilder text = new StringBuilder();
        for (int line = 0; line < count; line++) {
            text.append(random.nextBoolean() ? "the cat sat on the mat\n" : "ein Hund lag im Gras\n");
        }
        return text.toString();
    }
}
