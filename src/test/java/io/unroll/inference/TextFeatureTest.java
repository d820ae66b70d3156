package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextFeatureTest {
    private static double[] of(TextFeature feature, String text) {
        return feature.of(text.codePoints().mapToObj(Character::toString).toList());
    }

    @Test
    void measuresEachFeature() {
        assertArrayEquals(new double[] {1, 2, 0, 1}, of(TextFeature.POSITION_IN_LINE, "ab\nc"));
        assertArrayEquals(new double[] {0, 1, 1, 0, 0}, of(TextFeature.INSIDE_QUOTES, "a\"b\"c"));
        assertArrayEquals(
                new double[] {1, 0, 1, 0, 1, 0}, of(TextFeature.INSIDE_QUOTES, "\u201c\u201d\u201e\u201c\u00ab\u00bb"));
        assertArrayEquals(new double[] {1, 2, 2, 2, 0, 0}, of(TextFeature.INDENTATION, "  a \nb"));
        assertArrayEquals(new double[] {1, 2, 2, 1, 0, 0}, of(TextFeature.BRACKET_DEPTH, "({a}))"));
    }

    @Test
    void unclosedQuotesAndBracketsEndWithTheirParagraph() {
        assertArrayEquals(new double[] {1, 1, 0, 0}, of(TextFeature.INSIDE_QUOTES, "\"\n\na"));
        assertArrayEquals(new double[] {1, 1, 0, 0}, of(TextFeature.BRACKET_DEPTH, "(\n\n)"));
        assertArrayEquals(new double[] {1, 1, 1, 1, 0, 0}, of(TextFeature.INSIDE_QUOTES, "\"\r\n\r\na"));
    }

    @Test
    void measuresAfterAllCharactersOfAToken() {
        assertArrayEquals(new double[] {3, 2}, TextFeature.POSITION_IN_LINE.of(List.of("abc", "d\nef")));
    }

    @Test
    void correlationIsPearsonsAndZeroForAConstant() {
        assertEquals(-1, TextFeature.correlation(new double[] {1, 2, 3}, new double[] {5, 3, 1}), 1e-12);
        assertEquals(0, TextFeature.correlation(new double[] {1, 1, 1}, new double[] {5, 3, 1}));
    }
}
