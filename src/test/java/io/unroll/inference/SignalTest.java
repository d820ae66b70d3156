package io.unroll.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SignalTest {
    private static double[] of(Signal signal, String text) {
        return signal.of(text.codePoints().mapToObj(Character::toString).toList());
    }

    @Test
    void theyFollowWhatAReaderSees() {
        assertArrayEquals(new double[] {1, 2, 0, 1}, of(Signal.POSITION_IN_LINE, "ab\nc"));
        assertArrayEquals(new double[] {0, 1, 1, 0, 0}, of(Signal.INSIDE_QUOTES, "a\"b\"c"));
        assertArrayEquals(
                new double[] {1, 0, 1, 0, 1, 0}, of(Signal.INSIDE_QUOTES, "\u201c\u201d\u201e\u201c\u00ab\u00bb"));
        assertArrayEquals(new double[] {1, 2, 2, 2, 0, 0}, of(Signal.INDENTATION, "  a \nb"));
        assertArrayEquals(new double[] {1, 2, 2, 1, 0, 0}, of(Signal.BRACKET_DEPTH, "({a}))"));
    }

    @Test
    void whatNobodyClosesEndsWithItsParagraph() {
        assertArrayEquals(new double[] {1, 1, 0, 0}, of(Signal.INSIDE_QUOTES, "\"\n\na"));
        assertArrayEquals(new double[] {1, 1, 0, 0}, of(Signal.BRACKET_DEPTH, "(\n\n)"));
        assertArrayEquals(new double[] {1, 1, 1, 1, 0, 0}, of(Signal.INSIDE_QUOTES, "\"\r\n\r\na"));
    }

    @Test
    void aTokenMayHoldSeveralCharacters() {
        assertArrayEquals(new double[] {3, 2}, Signal.POSITION_IN_LINE.of(List.of("abc", "d\nef")));
    }

    @Test
    void correlationIsPearsonsAndNoneWhereNothingChanges() {
        assertEquals(-1, Signal.correlation(new double[] {1, 2, 3}, new double[] {5, 3, 1}), 1e-12);
        assertEquals(0, Signal.correlation(new double[] {1, 1, 1}, new double[] {5, 3, 1}));
    }
}
