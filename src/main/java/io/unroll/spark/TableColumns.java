package io.unroll.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.unix_micros;
import static org.apache.spark.sql.functions.when;

import io.unroll.config.ConfigurationException;
import io.unroll.text.Row;
import java.io.Serializable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Selects the columns that a task reads from a DataFrame and converts their values to text, as Spark's cast to string
 * does, with timestamps in UTC.
 *
 * @param origin the files, table or query, for messages
 * @param hint advice that follows the message about a missing column; may be empty
 */
record TableColumns(Map<String, String> columnOfField, String origin, String hint) {
    /** Column of the text of a row that Spark's reader cannot parse. */
    static final String CORRUPT_ROW = "unroll_corrupt_record";

    /** The text of a row that cannot be parsed: no row of a corpus may have it. */
    static final String MALFORMED = "\0";

    private static final String FILE = "unroll_file";
    private static final String NUMBER = "unroll_number";
    private static final int MAX_SHOWN = 200;
    private static final int MAX_ROW_SHOWN = 80;

    private static final DateTimeFormatter TIMESTAMP = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd HH:mm:ss")
            .appendFraction(ChronoField.MICRO_OF_SECOND, 0, 6, true)
            .toFormatter(Locale.ROOT);

    /** @throws ConfigurationException if a column does not exist, or has no text */
    JavaRDD<Row> rows(Dataset<org.apache.spark.sql.Row> data) {
        List<Column> selected = new ArrayList<>();
        columnOfField.forEach(
                (field, name) -> selected.add(column(data, field, name).as(field)));
        boolean mayBeCorrupt = Arrays.asList(data.columns()).contains(CORRUPT_ROW);
        if (mayBeCorrupt) {
            selected.add(col(CORRUPT_ROW));
        }
        int file = add(selected, resolved(data, "_metadata.file_path"), FILE);
        int number = add(selected, resolved(data, "_metadata.row_index"), NUMBER);
        Converter converter = new Converter(List.copyOf(columnOfField.keySet()), mayBeCorrupt, file, number, origin);
        Dataset<org.apache.spark.sql.Row> read = data.select(selected.toArray(Column[]::new));
        return SparkErrors.read(origin, read::toJavaRDD).mapPartitions(converter::rows);
    }

    /**
     * @return all columns, and those of the fields as text, called as {@link RowSource#columnName} says; the first field of a
     *     row that cannot be parsed is {@link #MALFORMED}
     * @throws ConfigurationException if a column does not exist, or has no text
     */
    Dataset<org.apache.spark.sql.Row> table(Dataset<org.apache.spark.sql.Row> data) {
        List<Column> selected = new ArrayList<>(List.of(col("*")));
        boolean mayBeCorrupt = Arrays.asList(data.columns()).contains(CORRUPT_ROW);
        columnOfField.forEach((field, name) -> {
            Column value = column(data, field, name);
            boolean isText = selected.size() == 1 && mayBeCorrupt;
            selected.add((isText ? when(col(CORRUPT_ROW).isNotNull(), MALFORMED).otherwise(value) : value)
                    .as(RowSource.columnName(field)));
        });
        return data.select(selected.toArray(Column[]::new));
    }

    ConfigurationException missing(String field, String name, String[] columns) {
        return new ConfigurationException(origin + " has no column " + name + " (" + RowSource.key(field)
                + "); its columns are " + shown(columns) + "." + hint);
    }

    /** @return the index of the added column; -1 if there is none */
    private static int add(List<Column> selected, Optional<Column> column, String name) {
        column.ifPresent(found -> selected.add(found.as(name)));
        return column.isPresent() ? selected.size() - 1 : -1;
    }

    private Column column(Dataset<org.apache.spark.sql.Row> data, String field, String name) {
        Column column = find(data, name).orElseThrow(() -> missing(field, name, data.columns()));
        DataType type = data.select(column).schema().fields()[0].dataType();
        String kind = kind(type);
        if (!kind.isEmpty()) {
            throw new ConfigurationException(origin + ": column " + name + " (" + RowSource.key(field) + ") is " + kind
                    + "; it must be a text, a number, a date or a time.");
        }
        return text(column, type);
    }

    /**
     * Returns the value as text. Spark's cast to string depends on the session: in ANSI mode, it writes decimals without an
     * exponent, and it writes timestamps in the session's time zone. Here they are in UTC.
     */
    static Column text(Column column, DataType type) {
        if (type instanceof DecimalType) {
            return udf(
                            (UDF1<BigDecimal, String>) value -> value == null ? null : value.toString(),
                            DataTypes.StringType)
                    .apply(column);
        }
        if (type.equals(DataTypes.TimestampType)) {
            return udf((UDF1<Long, String>) TableColumns::timestamp, DataTypes.StringType)
                    .apply(unix_micros(column));
        }
        return column.cast(DataTypes.StringType);
    }

    private static String timestamp(Long micros) {
        return micros == null
                ? null
                : LocalDateTime.ofInstant(Instant.EPOCH.plus(micros, ChronoUnit.MICROS), ZoneOffset.UTC)
                        .format(TIMESTAMP);
    }

    /**
     * @return the rows of both tables; a column that is a text in only one of them is a text, while ANSI mode would cast the
     *     texts
     */
    static Dataset<org.apache.spark.sql.Row> union(
            Dataset<org.apache.spark.sql.Row> first, Dataset<org.apache.spark.sql.Row> second) {
        return withTexts(first, second.schema()).unionByName(withTexts(second, first.schema()), true);
    }

    private static Dataset<org.apache.spark.sql.Row> withTexts(
            Dataset<org.apache.spark.sql.Row> data, StructType other) {
        Map<String, Column> texts = new LinkedHashMap<>();
        for (StructField field : data.schema().fields()) {
            boolean isOtherText = Stream.of(other.fields())
                    .filter(same -> same.name().equalsIgnoreCase(field.name()))
                    .anyMatch(same -> same.dataType().equals(DataTypes.StringType));
            if (isOtherText
                    && !field.dataType().equals(DataTypes.StringType)
                    && kind(field.dataType()).isEmpty()) {
                texts.put(field.name(), text(col(quoted(field.name())), field.dataType()));
            }
        }
        return texts.isEmpty() ? data : data.withColumns(texts);
    }

    /** @return the name for expressions, in which it may contain a dot */
    static String quoted(String name) {
        return "`" + name.replace("`", "``") + "`";
    }

    private static String kind(DataType type) {
        return type instanceof StructType
                ? "a struct"
                : type instanceof ArrayType ? "a list" : type instanceof MapType ? "a map" : "";
    }

    private static String shown(String[] columns) {
        return StringUtils.abbreviate(
                Arrays.stream(columns)
                        .filter(name -> !name.equals(CORRUPT_ROW))
                        .map(name -> StringUtils.abbreviate(name.replaceAll("\\p{Cntrl}+", " "), 60))
                        .collect(Collectors.joining(", ")),
                MAX_SHOWN);
    }

    /** @return the column of this name, or the field of a struct, such as a.b; empty if there is none */
    static Optional<Column> find(Dataset<org.apache.spark.sql.Row> data, String name) {
        return resolved(data, quoted(name)).or(() -> resolved(data, name));
    }

    private static Optional<Column> resolved(Dataset<org.apache.spark.sql.Row> data, String name) {
        try {
            Column column = col(name);
            data.select(column);
            return Optional.of(column);
        } catch (Exception e) {
            if (e instanceof AnalysisException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Converts Spark's rows; runs in the tasks. */
    private record Converter(List<String> fields, boolean mayBeCorrupt, int file, int number, String origin)
            implements Serializable {
        Iterator<Row> rows(Iterator<org.apache.spark.sql.Row> rows) {
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return SparkErrors.read(origin, rows::hasNext);
                }

                @Override
                public Row next() {
                    return row(SparkErrors.read(origin, rows::next));
                }
            };
        }

        private Row row(org.apache.spark.sql.Row row) {
            String rowOrigin = file < 0 ? origin : row.getString(file);
            long rowNumber = number < 0 ? Row.UNNUMBERED : row.getLong(number) + 1;
            String corrupt = mayBeCorrupt ? row.getString(fields.size()) : null;
            if (corrupt != null) {
                return Row.malformed(
                        rowOrigin,
                        rowNumber,
                        "it cannot be parsed, or has other columns than the first row: "
                                + StringUtils.abbreviate(corrupt.replaceAll("\\p{Cntrl}+", " "), MAX_ROW_SHOWN));
            }
            Map<String, String> values = new LinkedHashMap<>();
            for (int i = 0; i < fields.size(); i++) {
                values.put(fields.get(i), row.getString(i));
            }
            return new Row(rowOrigin, rowNumber, values);
        }
    }
}
