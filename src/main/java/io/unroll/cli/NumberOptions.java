package io.unroll.cli;

import java.math.BigDecimal;
import java.util.function.Function;
import org.apache.commons.lang3.StringUtils;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts numeric options: any decimal notation, such as {@code 1e3}, but no NaN and no infinity. */
final class NumberOptions {
    private static final int MAX_DIGITS = 400;
    private static final int MAX_SHOWN = 40;

    private NumberOptions() {}

    /** @return the same command line, with these converters */
    static CommandLine registerIn(CommandLine line) {
        ITypeConverter<Integer> integer = value ->
                (int) convert(value, "a whole number of at most " + Integer.MAX_VALUE, BigDecimal::intValueExact);
        ITypeConverter<Long> longInteger =
                value -> convert(value, "a whole number of at most " + Long.MAX_VALUE, BigDecimal::longValueExact);
        ITypeConverter<Double> decimal = value -> convert(value, "a finite number", NumberOptions::finite);
        return line.registerConverter(int.class, integer)
                .registerConverter(Integer.class, integer)
                .registerConverter(long.class, longInteger)
                .registerConverter(double.class, decimal);
    }

    private static double finite(BigDecimal number) {
        if (Double.isInfinite(number.doubleValue())) {
            throw new ArithmeticException();
        }
        return number.doubleValue();
    }

    private static <T> T convert(String value, String expected, Function<BigDecimal, T> conversion) {
        try {
            if (value.length() <= MAX_DIGITS) {
                return conversion.apply(new BigDecimal(value.strip()));
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // reported below
        }
        throw new TypeConversionException(StringUtils.abbreviate(value, MAX_SHOWN) + "; it must be " + expected);
    }
}
