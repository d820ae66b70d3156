package io.unroll.inference;

import java.util.Arrays;
import java.util.List;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;

/**
 * A feature of a text that a cell may track (Karpathy et al. 2015): a number for each token, measured after the token.
 */
enum TextFeature {
    POSITION_IN_LINE,
    INSIDE_QUOTES,
    INDENTATION,
    BRACKET_DEPTH;

    /** Every quote opens if none is open and otherwise closes, because languages use the same characters for both. */
    private static final String QUOTES = "\"\u201c\u201d\u201e\u00ab\u00bb";

    /**
     * @param pieces text of each token
     * @return value of the feature after each token
     */
    double[] of(List<String> pieces) {
        Reader reader = new Reader();
        return pieces.stream()
                .mapToDouble(piece -> {
                    piece.codePoints().forEach(reader::read);
                    return value(reader);
                })
                .toArray();
    }

    private double value(Reader reader) {
        return switch (this) {
            case POSITION_IN_LINE -> reader.column;
            case INSIDE_QUOTES -> reader.quoted ? 1 : 0;
            case INDENTATION -> reader.indentation;
            case BRACKET_DEPTH -> reader.depth;
        };
    }

    /** @return Pearson's correlation; 0 if one of the two is constant */
    static double correlation(double[] feature, double[] activations) {
        if (feature.length < 2 || isConstant(feature) || isConstant(activations)) {
            return 0;
        }
        return new PearsonsCorrelation().correlation(feature, activations);
    }

    private static boolean isConstant(double[] values) {
        return Arrays.stream(values).allMatch(value -> value == values[0]);
    }

    private static final class Reader {
        private int column;
        private int indentation;
        private boolean indenting = true;
        private boolean quoted;
        private int depth;

        void read(int symbol) {
            if (symbol == '\n') {
                // Unclosed quotes and brackets end with their paragraph.
                quoted = quoted && column > 0;
                depth = column > 0 ? depth : 0;
                column = 0;
                indentation = 0;
                indenting = true;
                return;
            }
            if (symbol == '\r') {
                return;
            }
            column++;
            indenting = indenting && (symbol == ' ' || symbol == '\t');
            indentation += indenting ? 1 : 0;
            quoted = QUOTES.indexOf(symbol) >= 0 != quoted;
            depth += "([{".indexOf(symbol) >= 0 ? 1 : 0;
            depth -= ")]}".indexOf(symbol) >= 0 && depth > 0 ? 1 : 0;
        }
    }
}
