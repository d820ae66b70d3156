package io.unroll.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.config.UnrollException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged tables and texts are read, or rejected with a message. */
class RowsFuzzTest {
    private static final String CSV = "text,label\n\"a, b\",x\nc \"\"d,y\n\"e\nf\",x\n\u00E9\uD83D\uDE00,y\n";

    private static final Configuration HADOOP = new Configuration();

    @TempDir
    private Path folder;

    @Test
    @Tag("full")
    void handlesSomeDamagedFiles() throws IOException {
        damage(700, 1);
    }

    @Test
    @Tag("nightly")
    void handlesManyDamagedFiles() throws IOException {
        damage(20_000, 1_000_000);
    }

    @Test
    void parquetCountThatNeedsTooMuchMemoryIsRejected() throws IOException {
        byte[] damaged = parquet(CompressionCodecName.UNCOMPRESSED);
        // The start of the definition levels of the labels: a count and a bit pattern.
        int count = new String(damaged, StandardCharsets.ISO_8859_1).indexOf("\u000F\u00B6m");
        ByteBuffer.wrap(damaged).position(count).put(new byte[] {-1, -1, -1, -1, 1});
        Path file = Files.write(folder.resolve("count.parquet"), damaged);

        UnrollException refusal =
                assertThrows(UnrollException.class, () -> rows("auto").read(slice(file), HADOOP, row -> {}));

        assertTrue(
                refusal.getMessage().matches(".*count.parquet cannot be read .* MiB .* --executor-memory.*"),
                refusal.getMessage());
    }

    @Test
    void parquetPageShorterThanItsHeaderSaysIsRejected() throws IOException {
        byte[] damaged = Fuzz.mutation(parquet(CompressionCodecName.SNAPPY), 1_000_991);
        Path file = Files.write(folder.resolve("page.parquet"), damaged);

        assertFalse(Fuzz.assertReadOrRefused("page.parquet", () -> rows("auto").read(slice(file), HADOOP, row -> {})));
    }

    private void damage(int count, long seed) throws IOException {
        byte[] csv = CSV.getBytes(StandardCharsets.UTF_8);
        rows("csv", "a.csv", csv, count, seed);
        rows("tsv", "a.tsv", CSV.replace(',', '\t').getBytes(StandardCharsets.UTF_8), count, seed);
        rows("lines", "a.txt", csv, count, seed);
        rows("files", "a.txt", csv, count, seed);
        ByteArrayOutputStream gz = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(gz)) {
            out.write(csv);
        }
        rows("auto", "a.csv.gz", gz.toByteArray(), count, seed);
        for (CompressionCodecName codec : List.of(CompressionCodecName.UNCOMPRESSED, CompressionCodecName.SNAPPY)) {
            rows("auto", "a.parquet", parquet(codec), count, seed);
        }
        text(csv, count, seed);
    }

    private void rows(String format, String name, byte[] original, int count, long seed) throws IOException {
        RowFormat rows = rows(format);
        Path file = folder.resolve(name);
        int read = 0;
        Iterator<byte[]> mutations = Fuzz.mutations(original, count, seed).iterator();
        for (long number = seed; mutations.hasNext(); number++) {
            byte[] mutation = Files.readAllBytes(Files.write(file, mutations.next()));
            Slice slice = slice(file);
            boolean good = Fuzz.assertReadOrRefused(
                    name + " as " + format + ", " + number, () -> rows.read(slice, HADOOP, RowsFuzzTest::readFields));
            read += good ? 1 : 0;
            assertArrayEquals(mutation, Files.readAllBytes(file));
        }
        assertTrue(
                (read > 0 && read < count) || name.endsWith(".txt"), name + ": " + read + " of " + count + " are read");
    }

    private static RowFormat rows(String format) {
        Settings settings =
                SettingsReader.parse("run.directory = r, corpus { path = p, format = " + format + " }", "test");
        return new RowFormat(settings.corpus(), List.of("text", "label"));
    }

    private static Slice slice(Path file) throws IOException {
        return new Slice("file:" + file, 0, Files.size(file), file.toString().endsWith(".gz"));
    }

    private static void readFields(Row row) {
        for (String field : List.of("text", "label")) {
            try {
                row.value(field);
            } catch (MalformedRowException e) {
                assertTrue(!e.getMessage().isBlank());
            }
        }
    }

    private void text(byte[] original, int count, long seed) throws IOException {
        Path file = folder.resolve("text");
        List<Tokenizer> tokenizers = List.of(
                new CharTokenizer(Settings.Malformed.ERROR),
                new CharTokenizer(Settings.Malformed.REPLACE),
                new WordTokenizer(1, 0, Settings.Malformed.ERROR),
                new ByteTokenizer());
        Iterator<byte[]> mutations = Fuzz.mutations(original, count, seed).iterator();
        for (long number = seed; mutations.hasNext(); number++) {
            Files.write(file, mutations.next());
            Fuzz.assertReadOrRefused("text " + number, () -> {
                for (List<Slice> part : CorpusFiles.parts(file.toString(), 20, HADOOP)) {
                    for (Slice slice : part) {
                        for (Tokenizer tokenizer : tokenizers) {
                            try (SliceInput in = SliceInput.open(slice, tokenizer.boundary(), HADOOP)) {
                                tokenizer.count(in, new HashMap<>());
                            }
                        }
                    }
                }
            });
        }
    }

    private byte[] parquet(CompressionCodecName codec) throws IOException {
        Path file = folder.resolve("original.parquet");
        Files.deleteIfExists(file);
        MessageType schema = MessageTypeParser.parseMessageType(
                "message m { required binary text (STRING); optional int32 label (DECIMAL(9,2)); }");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new org.apache.hadoop.fs.Path(file.toUri()))
                .withType(schema)
                .withCompressionCodec(codec)
                .build()) {
            for (int i = 0; i < 50; i++) {
                Group row = new SimpleGroup(schema);
                row.add("text", "text " + i);
                if (i % 3 > 0) {
                    row.add("label", i);
                }
                writer.write(row);
            }
        }
        return Files.readAllBytes(file);
    }
}
