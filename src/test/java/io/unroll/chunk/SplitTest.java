package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SplitTest {
    @ParameterizedTest
    @CsvSource({
        "1000, 0.05, 0.05, 900, 950",
        "1115394, 0.1, 0, 1003854, 1115394",
        "10, 0, 0, 10, 10",
        "7, 0.5, 0.3, 1, 4"
    })
    void splitsInTheOrderOfTheText(long tokens, double validation, double test, long trainingEnd, long validationEnd) {
        assertEquals(new Split(trainingEnd, validationEnd, tokens), Split.of(tokens, validation, test));
    }
}
