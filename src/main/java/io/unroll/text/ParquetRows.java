package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CodecPool;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.Decompressor;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/** Reads the required columns of a Parquet file; values are formatted as in Spark, times in UTC. */
final class ParquetRows {
    private static final Set<CompressionCodecName> SUPPORTED = Set.of(
            CompressionCodecName.UNCOMPRESSED,
            CompressionCodecName.SNAPPY,
            CompressionCodecName.GZIP,
            CompressionCodecName.ZSTD,
            CompressionCodecName.LZ4,
            CompressionCodecName.LZ4_RAW);

    private static final int JULIAN_DAY_OF_1970 = 2_440_588;

    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
            .appendPattern("HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .toFormatter(java.util.Locale.ROOT);

    private ParquetRows() {}

    /** Formats the value of a column in a row. */
    private interface Value {
        String of(Group row, String column);
    }

    static void read(String name, Configuration hadoop, ColumnReader table) throws IOException {
        Path file = new Path(name);
        try {
            rows(file, CorpusFiles.withoutChecksum(file, hadoop), table);
        } catch (UnrollException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            if (ExceptionUtils.getRootCause(e) instanceof IOException cause) {
                IOException other = CorpusFiles.explain(cause, name);
                if (!CorpusFiles.isLocal(file, hadoop) && !(other instanceof EOFException)) {
                    throw other;
                }
            }
            throw new UnrollException(
                    name + " cannot be read as a Parquet file: " + ExceptionUtils.getRootCauseMessage(e)
                            + ". Write the file again, or exclude it from corpus.path.",
                    e);
        } catch (OutOfMemoryError e) {
            throw new UnrollException(
                    name + " cannot be read as a Parquet file: a part of it needs more memory than the "
                            + (Runtime.getRuntime().maxMemory() >> 20)
                            + " MiB of the Java heap. If the file is valid, increase --executor-memory, or"
                            + " --driver-memory if Spark's master is local; if it is damaged, write it again,"
                            + " or exclude it from corpus.path.",
                    e);
        }
    }

    private static void rows(Path file, Configuration hadoop, ColumnReader table) throws IOException {
        ParquetMetadata footer;
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))) {
            footer = reader.getFooter();
        }
        MessageType schema = footer.getFileMetaData().getSchema();
        List<String> names = schema.getFields().stream().map(Type::getName).toList();
        Map<String, Value> values = new HashMap<>();
        List<Type> wanted = new ArrayList<>();
        table.setHeader(names).forEach((field, index) -> {
            Type type = schema.getType(index);
            if (values.put(type.getName(), value(type, field, file)) == null) {
                wanted.add(type);
            }
        });
        checkCompression(footer, values.keySet(), file);
        Configuration projected = new Configuration(hadoop);
        projected.set(ReadSupport.PARQUET_READ_SCHEMA, new MessageType(schema.getName(), wanted).toString());
        try (ParquetReader<Group> reader = ParquetReader.builder(new GroupReadSupport(), file)
                .withConf(projected)
                .withCodecFactory(new PageCodecs(projected))
                .build()) {
            long number = 0;
            for (Group row = reader.read(); row != null; row = reader.read()) {
                String[] formatted = new String[names.size()];
                for (Map.Entry<String, Value> value : values.entrySet()) {
                    boolean given = row.getFieldRepetitionCount(value.getKey()) == 1;
                    formatted[names.indexOf(value.getKey())] =
                            given ? value.getValue().of(row, value.getKey()) : null;
                }
                table.add(number++, formatted);
            }
        }
    }

    /** Parquet's codecs; their streams never end if a damaged page has fewer bytes than its header says. */
    @SuppressWarnings("deprecation") // CodecFactory requires the deprecated class
    private static final class PageCodecs extends CodecFactory {
        PageCodecs(Configuration hadoop) {
            super(hadoop, ParquetWriter.DEFAULT_PAGE_SIZE);
        }

        @Override
        protected BytesDecompressor createDecompressor(CompressionCodecName name) {
            CompressionCodec codec = getCodec(name);
            return codec == null ? super.createDecompressor(name) : new PageDecompressor(codec);
        }

        private static final class PageDecompressor extends BytesDecompressor {
            private final CompressionCodec codec;
            private final Decompressor decompressor;

            PageDecompressor(CompressionCodec codec) {
                this.codec = codec;
                this.decompressor = CodecPool.getDecompressor(codec);
            }

            @Override
            public BytesInput decompress(BytesInput compressed, int size) throws IOException {
                if (decompressor != null) {
                    decompressor.reset();
                }
                byte[] page = new byte[size];
                try (InputStream in = codec.createInputStream(compressed.toInputStream(), decompressor)) {
                    int length = 0;
                    while (length < size) {
                        int read = in.read(page, length, size - length);
                        if (read <= 0) {
                            throw new EOFException("a page has " + length + " bytes, its header says " + size);
                        }
                        length += read;
                    }
                }
                return BytesInput.from(page);
            }

            @Override
            public void decompress(ByteBuffer compressed, int compressedSize, ByteBuffer page, int size)
                    throws IOException {
                page.put(decompress(BytesInput.from(compressed), size).toByteBuffer());
            }

            @Override
            public void release() {
                CodecPool.returnDecompressor(decompressor);
            }
        }
    }

    private static void checkCompression(ParquetMetadata footer, Set<String> columns, Path file) {
        footer.getBlocks().stream()
                .flatMap(block -> block.getColumns().stream())
                .filter(column -> columns.contains(column.getPath().toArray()[0]))
                .map(ColumnChunkMetaData::getCodec)
                .filter(codec -> !SUPPORTED.contains(codec))
                .findFirst()
                .ifPresent(codec -> {
                    throw new ConfigurationException(file + " is compressed with " + codec
                            + ", which Unroll does not support: write it with snappy, gzip or zstd.");
                });
    }

    private static Value value(Type type, String field, Path file) {
        LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
        boolean list = type.isRepetition(Type.Repetition.REPEATED)
                || logical instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation;
        boolean map = logical instanceof LogicalTypeAnnotation.MapLogicalTypeAnnotation
                || logical instanceof LogicalTypeAnnotation.MapKeyValueTypeAnnotation;
        Value value = list || map || !type.isPrimitive() ? null : value(type.asPrimitiveType(), logical);
        if (value == null) {
            String kind = list
                    ? "a list"
                    : map ? "a map" : type.isPrimitive() ? "of the type " + described(type) : "a struct";
            throw new ConfigurationException(file + ": column " + type.getName() + " (corpus.columns." + field + ") is "
                    + kind + "; it must be a text, a number, a date or a time.");
        }
        return value;
    }

    private static String described(Type type) {
        return type.asPrimitiveType().getPrimitiveTypeName()
                + (type.getLogicalTypeAnnotation() == null ? "" : " (" + type.getLogicalTypeAnnotation() + ")");
    }

    /** @return null if the type is not a text, a number, a date or a time */
    private static Value value(PrimitiveType type, LogicalTypeAnnotation logical) {
        if (logical instanceof LogicalTypeAnnotation.DecimalLogicalTypeAnnotation decimal) {
            return (row, column) -> new BigDecimal(unscaled(row, column, type), decimal.getScale()).toPlainString();
        }
        if (logical instanceof LogicalTypeAnnotation.DateLogicalTypeAnnotation) {
            return (row, column) ->
                    LocalDate.ofEpochDay(row.getInteger(column, 0)).toString();
        }
        if (logical instanceof LogicalTypeAnnotation.TimestampLogicalTypeAnnotation timestamp) {
            return (row, column) -> formatted(timestamp(row.getLong(column, 0), timestamp.getUnit()));
        }
        if (logical instanceof LogicalTypeAnnotation.TimeLogicalTypeAnnotation time) {
            return (row, column) -> LocalTime.ofNanoOfDay(integer(row, column, type) * nanos(time.getUnit()))
                    .format(TIME);
        }
        if (logical instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation number && !number.isSigned()) {
            return number.getBitWidth() == Long.SIZE
                    ? (row, column) -> Long.toUnsignedString(row.getLong(column, 0))
                    : (row, column) -> Integer.toUnsignedString(row.getInteger(column, 0));
        }
        if (logical instanceof LogicalTypeAnnotation.UUIDLogicalTypeAnnotation) {
            return (row, column) -> {
                ByteBuffer bytes = row.getBinary(column, 0).toByteBuffer();
                return new UUID(bytes.getLong(), bytes.getLong()).toString();
            };
        }
        boolean binary = logical instanceof LogicalTypeAnnotation.BsonLogicalTypeAnnotation;
        return switch (type.getPrimitiveTypeName()) {
            case BINARY -> binary
                    ? null
                    : (row, column) -> row.getBinary(column, 0).toStringUsingUTF8();
            case INT96 -> (row, column) ->
                    formatted(int96(row.getInt96(column, 0).toByteBuffer()));
            case FIXED_LEN_BYTE_ARRAY -> null;
            default -> (row, column) -> row.getValueToString(row.getType().getFieldIndex(column), 0);
        };
    }

    private static long integer(Group row, String column, PrimitiveType type) {
        return type.getPrimitiveTypeName() == PrimitiveType.PrimitiveTypeName.INT32
                ? row.getInteger(column, 0)
                : row.getLong(column, 0);
    }

    private static BigInteger unscaled(Group row, String column, PrimitiveType type) {
        return switch (type.getPrimitiveTypeName()) {
            case INT32, INT64 -> BigInteger.valueOf(integer(row, column, type));
            default -> new BigInteger(row.getBinary(column, 0).getBytes());
        };
    }

    private static long nanos(TimeUnit unit) {
        return switch (unit) {
            case MILLIS -> 1_000_000;
            case MICROS -> 1_000;
            case NANOS -> 1;
        };
    }

    private static LocalDateTime timestamp(long value, TimeUnit unit) {
        long perSecond = 1_000_000_000 / nanos(unit);
        int nano = (int) (Math.floorMod(value, perSecond) * nanos(unit));
        return LocalDateTime.ofEpochSecond(Math.floorDiv(value, perSecond), nano, ZoneOffset.UTC);
    }

    /** INT96 is nanoseconds of the day and the Julian day; like Spark, keeps microseconds. */
    private static LocalDateTime int96(ByteBuffer bytes) {
        ByteBuffer ordered = bytes.order(ByteOrder.LITTLE_ENDIAN);
        long nanos = ordered.getLong();
        return LocalDate.ofEpochDay((long) ordered.getInt() - JULIAN_DAY_OF_1970)
                .atStartOfDay()
                .plusNanos(nanos)
                .truncatedTo(ChronoUnit.MICROS);
    }

    private static String formatted(LocalDateTime time) {
        return time.toLocalDate() + " " + time.toLocalTime().format(TIME);
    }
}
