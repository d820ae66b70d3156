package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Values of Parquet types are formatted as in Spark, in UTC. */
class ParquetRowsTest {
    private static final int JULIAN_DAY = 2_460_371;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "int32 label (DECIMAL(9,2))                      | 150                  | 1.50",
                "int32 label (DECIMAL(9,2))                      | -5                   | -0.05",
                "int64 label (DECIMAL(18,4))                     | 123456789            | 12345.6789",
                "int64 label (DECIMAL(18,0))                     | 12                   | 12",
                "int32 label (DATE)                              | 20454                | 2026-01-01",
                "int32 label (DATE)                              | -1                   | 1969-12-31",
                "int64 label (TIMESTAMP(MILLIS,true))            | 1700000000123        | 2023-11-14 22:13:20.123",
                "int64 label (TIMESTAMP(MICROS,true))            | 1700000000000000     | 2023-11-14 22:13:20",
                "int64 label (TIMESTAMP(MICROS,false))           | -1                   | 1969-12-31 23:59:59.999999",
                "int64 label (TIMESTAMP(NANOS,true))             | 1                    | 1970-01-01 00:00:00.000000001",
                "int32 label (TIME(MILLIS,true))                 | 3723004              | 01:02:03.004",
                "int64 label (TIME(MICROS,true))                 | 3723000000           | 01:02:03",
                "int32 label (INTEGER(32,false))                 | -1                   | 4294967295",
                "int64 label (INTEGER(64,false))                 | -1                   | 18446744073709551615",
                "int32 label (INTEGER(8,true))                   | -7                   | -7",
                "int32 label (INTEGER(16,false))                 | 65535                | 65535",
                "int32 label                                     | -3                   | -3",
                "int64 label                                     | 9223372036854775807  | 9223372036854775807",
            })
    void formatsNumbersDatesAndTimes(String column, String stored, String shown) throws IOException {
        assertEquals(shown, label(column, (row, i) -> {
            if (column.startsWith("int32")) {
                row.add(i, Integer.parseInt(stored));
            } else {
                row.add(i, Long.parseLong(stored));
            }
        }));
    }

    @Test
    void formatsOtherScalarTypes() throws IOException {
        assertEquals("true", label("boolean label", (row, i) -> row.add(i, true)));
        assertEquals("1.5", label("float label", (row, i) -> row.add(i, 1.5f)));
        assertEquals("0.1", label("double label", (row, i) -> row.add(i, 0.1)));
        for (String type :
                List.of("binary label", "binary label (STRING)", "binary label (ENUM)", "binary label (JSON)")) {
            assertEquals("w\u00F6rter", label(type, (row, i) -> row.add(i, "w\u00F6rter")));
        }
        assertEquals("-1.00", label("binary label (DECIMAL(9,2))", (row, i) -> row.add(i, binary(0x9C))));
        assertEquals(
                "2.56", label("fixed_len_byte_array(3) label (DECIMAL(6,2))", (row, i) -> row.add(i, binary(0, 1, 0))));
        assertEquals(
                "00112233-4455-6677-8899-aabbccddeeff",
                label(
                        "fixed_len_byte_array(16) label (UUID)",
                        (row, i) -> row.add(
                                i,
                                binary(
                                        0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD,
                                        0xEE, 0xFF))));
        byte[] time = ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(3_723_000_004_999L)
                .putInt(JULIAN_DAY)
                .array();
        assertEquals(
                "2024-03-01 01:02:03.000004",
                label("int96 label", (row, i) -> row.add(i, Binary.fromConstantByteArray(time))));
    }

    private static Binary binary(int... bytes) {
        byte[] array = new byte[bytes.length];
        for (int i = 0; i < array.length; i++) {
            array[i] = (byte) bytes[i];
        }
        return Binary.fromConstantByteArray(array);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "optional group label (LIST) { repeated group list { optional binary element (STRING); } }     | a list",
                "repeated int32 label                                                                          | a list",
                "optional group label (MAP) { repeated group key_value { required int32 key; optional int32 value; } } | a map",
                "required group label { required int32 a; }                                                    | a struct",
                "required fixed_len_byte_array(2) label                                                        | of the type FIXED_LEN_BYTE_ARRAY",
                "required fixed_len_byte_array(12) label (INTERVAL)                                            | of the type FIXED_LEN_BYTE_ARRAY (INTERVAL)",
                "required binary label (BSON)                                                                  | of the type BINARY (BSON)",
            })
    void unsupportedTypesAreReportedWithColumnAndType(String column, String kind) throws IOException {
        String end = column.endsWith("}") ? "" : ";";
        Path file = write("required binary text (STRING); " + column + end, List.of(), CompressionCodecName.SNAPPY);

        String problem = assertThrows(UnrollException.class, () -> read(file)).getMessage();

        assertTrue(
                problem.endsWith("a.parquet: column label (corpus.columns.label) is " + kind
                        + "; it must be a text, a number, a date or a time."),
                problem);
    }

    @Test
    void ignoresTheTypesOfOtherColumns() throws IOException {
        Path file = write(
                "required binary text (STRING); required group other { repeated int32 a; } required int32 label;",
                List.of(row -> {
                    row.add("text", "a");
                    row.addGroup("other").add("a", 1);
                    row.add("label", 3);
                }),
                CompressionCodecName.GZIP);

        assertEquals("3", read(file).get(0).value("label"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"})
    void readsCompressedFiles(String codec) throws IOException {
        Path file = write(
                "required binary text (STRING); required int32 label;",
                List.of(row -> {
                    row.add("text", "a".repeat(1000));
                    row.add("label", 3);
                }),
                CompressionCodecName.valueOf(codec));
        Files.move(file, folder.resolve("12:00.parquet"));

        assertEquals(
                "a".repeat(1000), read(folder.resolve("12:00.parquet")).get(0).value("text"));
    }

    /** Changes the codec in the footer, because no codec for Brotli is installed. */
    @Test
    void unsupportedCompressionIsNamed() throws IOException {
        Path file = write(
                "required binary text (STRING); required int32 label;",
                List.of(row -> {
                    row.add("text", "a");
                    row.add("label", 3);
                }),
                CompressionCodecName.SNAPPY);
        byte[] bytes = Files.readAllBytes(file);
        String latin = new String(bytes, StandardCharsets.ISO_8859_1);
        int codecs = 0;
        for (int at = latin.lastIndexOf("text") + 4; at < bytes.length; at++) {
            // In Thrift's compact protocol, the codec is the zigzag number after the names of the path.
            if (bytes[at] == 0x15 && bytes[at + 1] == 0x02 && bytes[at + 2] == 0x16) {
                bytes[at + 1] = 0x08;
                codecs++;
            }
        }
        assertTrue(codecs > 0, "no codec found");
        Files.write(file, bytes);

        String problem = assertThrows(UnrollException.class, () -> read(file)).getMessage();

        assertTrue(
                problem.endsWith(
                        "a.parquet is compressed with BROTLI, which Unroll does not support: write it with snappy, gzip"
                                + " or zstd."),
                problem);
    }

    private String label(String column, BiConsumer<Group, String> add) throws IOException {
        Path file = write(
                "required binary text (STRING); required " + column + ";",
                List.of(row -> {
                    row.add("text", "a");
                    add.accept(row, "label");
                }),
                CompressionCodecName.SNAPPY);
        return read(file).get(0).value("label");
    }

    private Path write(String fields, List<java.util.function.Consumer<Group>> rows, CompressionCodecName codec)
            throws IOException {
        Path file = folder.resolve("a.parquet");
        Files.deleteIfExists(file);
        MessageType schema = MessageTypeParser.parseMessageType("message m { " + fields + " }");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
                .withType(schema)
                .withCompressionCodec(codec)
                .build()) {
            for (var row : rows) {
                Group group = new SimpleGroup(schema);
                row.accept(group);
                writer.write(group);
            }
        }
        Files.deleteIfExists(folder.resolve(".a.parquet.crc"));
        return file;
    }

    static List<Row> read(Path file) throws IOException {
        Settings settings = SettingsReader.parse("run.directory = r, corpus.path = p", "test");
        List<Row> rows = new ArrayList<>();
        Slice slice = new Slice("file:" + file, 0, Files.size(file), false);
        new RowFormat(settings.corpus(), List.of("text", "label")).read(slice, new Configuration(), rows::add);
        return rows;
    }
}
