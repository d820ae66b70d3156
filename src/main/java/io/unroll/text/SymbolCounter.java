package io.unroll.text;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Counts symbols; code points without an object for each. */
public final class SymbolCounter {
    private final Map<String, Long> symbols = new HashMap<>();
    /** The count of each code point, at its index. */
    private long[] codePoints = new long[0];

    public void add(String symbol) {
        symbols.merge(symbol, 1L, Long::sum);
    }

    void add(int codePoint) {
        if (codePoint >= codePoints.length) {
            codePoints = Arrays.copyOf(codePoints, Math.min(Character.MAX_CODE_POINT, 2 * codePoint) + 1);
        }
        codePoints[codePoint]++;
    }

    /** @return how often each symbol occurs */
    public Map<String, Long> counts() {
        Map<String, Long> counts = new HashMap<>(symbols);
        for (int codePoint = 0; codePoint < codePoints.length; codePoint++) {
            if (codePoints[codePoint] > 0) {
                counts.merge(Character.toString(codePoint), codePoints[codePoint], Long::sum);
            }
        }
        return counts;
    }
}
