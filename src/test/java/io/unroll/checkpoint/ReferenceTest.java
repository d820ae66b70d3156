package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReferenceTest {
    /** The numbers 1 to 20,000, in another order. */
    private static final Reference REFERENCE = Reference.of(
            "test",
            IntStream.range(0, 20_000).mapToDouble(i -> 1 + (i * 7L) % 20_000).toArray(),
            IntStream.range(0, 20_000).map(i -> 1 + i % 10).toArray(),
            0.5);

    @Test
    void quantilesAreThoseOfTheSortedScores() {
        assertEquals(20_000, REFERENCE.rows());
        for (double level : new double[] {0.01, 0.5, 0.98, 0.99, 0.9995, 0.9999, 1}) {
            assertEquals(level * 20_000, REFERENCE.quantile(level), 1e-6, "level " + level);
        }
        assertEquals(19_999, REFERENCE.quantile(0.99995), 1e-6);
        assertEquals(20, REFERENCE.rowsAbove(0.999), 1e-6);
    }

    @Test
    void shareAboveIsTheInverseOfTheQuantile() {
        for (double level : new double[] {0.01, 0.305, 0.5, 0.99, 0.99935}) {
            assertEquals(1 - level, REFERENCE.shareAbove(REFERENCE.quantile(level)), 1e-6);
        }
        assertEquals(1, REFERENCE.shareAbove(0));
        assertEquals(0, REFERENCE.shareAbove(20_000));
    }

    @Test
    void equalScoresHaveOneQuantile() {
        Reference equal = Reference.of("test", new double[] {2, 2, 2}, new int[] {1, 1, 1}, 0);
        assertEquals(2, equal.quantile(0.999));
        assertEquals(0, equal.shareAbove(2));
        assertEquals(1, equal.shareAbove(1.9));
        assertEquals(0, equal.shareAboveRank(1));
    }

    @Test
    void aQuantileOfFewRowsIsInaccurate() {
        assertEquals(Optional.empty(), REFERENCE.warning(0.9995));
        for (int rows : new int[] {50, 100, 125, 1000}) {
            Reference few = Reference.of("test", new double[rows], new int[rows], 0);
            double accurate = 1 - 10.0 / rows;
            assertEquals(Optional.empty(), few.warning(accurate), rows + " rows");
            String warning = few.warning(0.999).orElseThrow();
            assertTrue(warning.endsWith("use more rows, or a quantile of at most " + accurate), warning);
        }
        String warning =
                Reference.of("test", new double[9], new int[9], 0).warning(0.5).orElseThrow();
        assertTrue(warning.endsWith("(at least 10 are needed): use more rows"), warning);
    }

    /** A tenth of the rows has each of the ranks 1 to 10. */
    @Test
    void shareAboveRankCountsRows() {
        for (int rank = 0; rank <= 12; rank++) {
            assertEquals(Math.max(0, 1 - rank / 10.0), REFERENCE.shareAboveRank(rank), 1e-6, "rank " + rank);
        }
    }

    @Test
    void aReferenceOfAnOlderVersionHasNoRanks() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode older = mapper.valueToTree(REFERENCE);
        older.remove("ranks");
        Reference read = mapper.treeToValue(older, Reference.class);
        assertNull(read.shareAboveRank(1));
        assertEquals(REFERENCE.quantile(0.5), read.quantile(0.5));
        assertFalse(mapper.writeValueAsString(read).contains("ranks"));
    }
}
