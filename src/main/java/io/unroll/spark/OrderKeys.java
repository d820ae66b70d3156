package io.unroll.spark;

import io.unroll.text.MalformedRowException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Converts values of {@code corpus.columns.order} to texts that have the same order: numbers first, then other values,
 * in the order of their characters, which is also that of times such as 2026-11-01 10:00:00. The key of a value does not
 * depend on other values.
 */
final class OrderKeys {
    private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d{1,2})?");
    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd['T'HH:mm[:ss]]")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendPattern("[XXX][XX]")
            .toFormatter(Locale.ROOT);

    private OrderKeys() {}

    private static boolean isNumber(String value) {
        return NUMBER.matcher(value.strip()).matches();
    }

    static String key(String value) {
        if (!isNumber(value) || Double.isInfinite(Double.parseDouble(value.strip()))) {
            return "1" + value;
        }
        BigDecimal number = new BigDecimal(value.strip());
        // The bits of a double, with those of negative numbers inverted, are in the order of the numbers.
        long bits = Double.doubleToLongBits(number.doubleValue());
        long sortable = bits < 0 ? ~bits : bits ^ Long.MIN_VALUE;
        BigDecimal rest = number.subtract(new BigDecimal(number.doubleValue()));
        long restBits = Double.doubleToLongBits(rest.doubleValue());
        return String.format("0%016x%016x", sortable, restBits < 0 ? ~restBits : restBits ^ Long.MIN_VALUE);
    }

    /**
     * @return the time in seconds; a number is one of seconds
     * @throws MalformedRowException if the value is neither
     */
    static double seconds(String value) {
        if (isNumber(value)) {
            return Double.parseDouble(value.strip());
        }
        try {
            TemporalAccessor time = TIME.parseBest(
                    value.strip().replace(' ', 'T').replace(',', '.'),
                    OffsetDateTime::from,
                    LocalDateTime::from,
                    LocalDate::from);
            Instant instant = time instanceof OffsetDateTime zoned
                    ? zoned.toInstant()
                    : time instanceof LocalDateTime local
                            ? local.toInstant(ZoneOffset.UTC)
                            : ((LocalDate) time).atStartOfDay().toInstant(ZoneOffset.UTC);
            return instant.getEpochSecond() + instant.getNano() / 1e9;
        } catch (DateTimeException e) {
            throw new MalformedRowException(
                    "its order is not a time",
                    "its order, " + value
                            + ", is not a time such as 2026-11-01 10:00:00, which corpus.session-gap needs");
        }
    }
}
