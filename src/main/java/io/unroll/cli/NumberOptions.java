package io.unroll.cli;

import java.math.BigDecimal;
import java.util.function.Function;
import org.apache.commons.lang3.StringUtils;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Options that are numbers: as people write them, and finite. */
final class NumberOptions {
    private static final int MAX_DIGITS = 400;
    private static final int MAX_SHOWN = 40;

    private NumberOptions() {}

    /** @return the same command line, which reads its numbers so */
    static CommandLine of(CommandLine line) {
        ITypeConverter<Integer> whole = value ->
                (int) exact(value, "a whole number of at most " + Integer.MAX_VALUE, BigDecimal::intValueExact);
        ITypeConverter<Long> big =
                value -> exact(value, "a whole number of at most " + Long.MAX_VALUE, BigDecimal::longValueExact);
        ITypeConverter<Double> decimal = value -> exact(value, "a finite number", NumberOptions::finite);
        return line.registerConverter(int.class, whole)
                .registerConverter(Integer.class, whole)
                .registerConverter(long.class, big)
                .registerConverter(double.class, decimal);
    }

    private static double finite(BigDecimal number) {
        if (Double.isInfinite(number.doubleValue())) {
            throw new ArithmeticException();
        }
        return number.doubleValue();
    }

    private static <T> T exact(String value, String what, Function<BigDecimal, T> exactly) {
        try {
            if (value.length() <= MAX_DIGITS) {
                return exactly.apply(new BigDecimal(value.strip()));
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // said below
        }
        throw new TypeConversionException(StringUtils.abbreviate(value, MAX_SHOWN) + "; it must be " + what);
    }
}
