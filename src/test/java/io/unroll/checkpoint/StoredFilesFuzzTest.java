package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import io.unroll.Zips;
import io.unroll.chunk.ExampleIndex;
import io.unroll.chunk.ExampleReader;
import io.unroll.chunk.ExampleWriter;
import io.unroll.chunk.TokenIndex;
import io.unroll.chunk.TokenReader;
import io.unroll.chunk.TokenWriter;
import io.unroll.config.Settings;
import io.unroll.task.Examples;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Mutates stored files: reading them must succeed or fail with one sentence, and must not change any file. */
class StoredFilesFuzzTest {
    private static final int ITERATIONS = 2_000;
    private static final int NIGHTLY_ITERATIONS = 40_000;
    private static final Configuration HADOOP = new Configuration();

    @TempDir
    private Path folder;

    @Test
    @Tag("full")
    void readsMutatedModelFolders() throws IOException {
        fuzzModelFolder(ITERATIONS, 1);
    }

    @Test
    @Tag("nightly")
    void readsMutatedModelFoldersNightly() throws IOException {
        fuzzModelFolder(NIGHTLY_ITERATIONS, 2);
    }

    @Test
    @Tag("full")
    void readsMutatedCheckpoints() throws IOException {
        fuzzCheckpoint(ITERATIONS, 3);
    }

    @Test
    @Tag("nightly")
    void readsMutatedCheckpointsNightly() throws IOException {
        fuzzCheckpoint(NIGHTLY_ITERATIONS, 4);
    }

    @Test
    @Tag("full")
    void readsMutatedPreparedFolders() throws IOException {
        fuzzPreparedTokens(ITERATIONS / 2, 5);
        fuzzPreparedExamples(ITERATIONS / 2, 6);
    }

    @Test
    @Tag("nightly")
    void readsMutatedPreparedFoldersNightly() throws IOException {
        fuzzPreparedTokens(NIGHTLY_ITERATIONS / 2, 7);
        fuzzPreparedExamples(NIGHTLY_ITERATIONS / 2, 8);
    }

    private void fuzzModelFolder(int count, long seed) throws IOException {
        Settings settings = TestModels.settings("task = seq2seq, model.attention = general, model.hidden = 2");
        Path model = folder.resolve("model");
        new ModelFolder(model.toString(), HADOOP).write(TestModels.model(settings, "a", "b"), false);
        Executable read = () -> new ModelFolder(model.toString(), HADOOP).read();
        fuzz(model, count, seed, read);
        byte[] good = Files.readAllBytes(model.resolve("network.zip"));
        for (Map.Entry<String, byte[]> entry : Zips.entries(good).entrySet()) {
            // Mutates an entry inside the zip and keeps the checksums of the zip valid.
            fuzz(model, "network.zip", count / 8, seed, read, random -> {
                byte[] content = Fuzz.mutation(entry.getValue(), random);
                return Zips.with(good, entry.getKey(), content);
            });
        }
    }

    private void fuzzCheckpoint(int count, long seed) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Settings settings = TestModels.settings("run.directory = \"" + folder.resolve("run") + "\"");
        CheckpointFile.write(new CheckpointFile.Contents(settings.text(), "hash", CheckpointsTest.state(1, 0.5)), out);
        Path checkpoints = Files.createDirectories(folder.resolve("run/checkpoints"));
        String name = "round-00000001.checkpoint";
        Files.write(checkpoints.resolve(name), out.toByteArray());
        Executable read = () -> new Checkpoints(settings, HADOOP).latest((file, reason) -> {
            assertTrue(!reason.isBlank() && !reason.equals("null"), reason);
        });
        fuzz(checkpoints, count / 2, seed, read);
        fuzz(checkpoints, name, count / 2, seed, read, random -> withMutatedHeader(out.toByteArray(), random));
    }

    /** @return a copy with a mutated header and valid checksums */
    private static byte[] withMutatedHeader(byte[] checkpoint, long seed) {
        int start = Long.BYTES + Integer.BYTES;
        int end = start + ByteBuffer.wrap(checkpoint).getInt(Long.BYTES);
        byte[] header = Fuzz.mutation(Arrays.copyOfRange(checkpoint, start, end), seed);
        byte[] mutated = Fuzz.spliced(checkpoint, start, end, header);
        ByteBuffer buffer = ByteBuffer.wrap(mutated).putInt(Long.BYTES, header.length);
        for (int position : new int[] {start + header.length, mutated.length - Long.BYTES}) {
            CRC32C checksum = new CRC32C();
            checksum.update(mutated, 0, position);
            buffer.putLong(position, checksum.getValue());
        }
        return mutated;
    }

    private void fuzzPreparedTokens(int count, long seed) throws IOException {
        Vocabularies vocabularies =
                TestModels.model(TestModels.settings(""), "a", "b", "c").vocabularies();
        Path prepared = Files.createDirectories(folder.resolve("tokens"));
        TokenIndex.Part part;
        try (TokenWriter writer = new TokenWriter(Files.newOutputStream(prepared.resolve("tokens-1.bin")), 1)) {
            for (int i = 0; i < 100; i++) {
                writer.accept(i % 3);
            }
            part = new TokenIndex.Part("tokens-1.bin", writer.tokens(), writer.checksum());
        }
        write(prepared, vocabularies, TokenIndex.FILE.bytes(new TokenIndex("hash", 1, List.of(part), null)));
        fuzz(prepared, count, seed, () -> {
            TokenIndex index = TokenIndex.FILE.read(local(), path(prepared, "index.json"));
            Vocabularies found = Vocabularies.read(local(), path(prepared, ""), List.of(Vocabularies.TOKENS));
            if (index.problem("hash", found).isEmpty()) {
                read(prepared.toString(), index, found.tokens().size());
            }
        });
    }

    private static void read(String prepared, TokenIndex index, int vocabulary) throws IOException {
        for (TokenIndex.Part part : index.parts()) {
            if (!TokenReader.problem(prepared, part, index.width(), vocabulary, HADOOP)
                    .isEmpty()) {
                return;
            }
        }
        int[] tokens = new int[(int) index.tokens()];
        try (TokenReader reader = new TokenReader(prepared, index, HADOOP)) {
            reader.read(0, tokens, 0, tokens.length);
        }
        for (int token : tokens) {
            assertTrue(token >= 0 && token < vocabulary, "token " + token);
        }
    }

    private void fuzzPreparedExamples(int count, long seed) throws IOException {
        Settings settings = TestModels.settings("task = seq2seq");
        Vocabularies vocabularies = TestModels.model(settings, "a", "b").vocabularies();
        Examples examples = Task.of(settings).examples().orElseThrow();
        Path prepared = Files.createDirectories(folder.resolve("examples"));
        ExampleIndex.Part part;
        try (ExampleWriter writer = new ExampleWriter(Files.newOutputStream(prepared.resolve("examples-1.bin")))) {
            for (int i = 0; i < 20; i++) {
                writer.write(new int[] {2, 0, i % 3, 3, 4, i % 5});
            }
            // Without a checksum, like the indexes of earlier versions: the reader has to find the mutations itself.
            part = new ExampleIndex.Part("examples-1.bin", writer.examples(), null);
        }
        ExampleIndex good = new ExampleIndex("hash", List.of(part), 20, 0, 0, 4, 80, 0, null);
        write(prepared, vocabularies, ExampleIndex.FILE.bytes(good));
        fuzz(prepared, count, seed, () -> {
            ExampleIndex index = ExampleIndex.FILE.read(local(), path(prepared, "index.json"));
            Vocabularies found = Vocabularies.read(
                    local(), path(prepared, ""), Task.of(settings).vocabularies());
            if (index.problem("hash", found).isEmpty()) {
                for (ExampleIndex.Part indexed : index.parts()) {
                    ExampleReader.problem(
                            prepared.toString(), indexed, example -> isValid(example, examples, found), HADOOP);
                }
            }
        });
    }

    /** Also checks that a valid example can be batched. */
    private static boolean isValid(int[] example, Examples examples, Vocabularies vocabularies) {
        boolean valid = examples.isExample(example, vocabularies);
        if (valid) {
            examples.batch(List.of(example));
        }
        return valid;
    }

    private static void write(Path prepared, Vocabularies vocabularies, byte[] index) throws IOException {
        vocabularies.write(local(), path(prepared, ""));
        Files.write(prepared.resolve("index.json"), index);
    }

    private static FileSystem local() throws IOException {
        return FileSystem.getLocal(HADOOP);
    }

    private static org.apache.hadoop.fs.Path path(Path folder, String name) {
        return new org.apache.hadoop.fs.Path(folder.toString() + "/" + name);
    }

    private interface Mutation {
        byte[] of(long seed) throws IOException;
    }

    /** Mutates each file of a folder in turn, and replaces it with each file of the folder. */
    private static void fuzz(Path folder, int count, long seed, Executable read) throws IOException {
        List<String> names = new ArrayList<>(contents(folder).keySet());
        names.removeIf(name -> name.startsWith("."));
        for (String name : names) {
            byte[] good = Files.readAllBytes(folder.resolve(name));
            fuzz(folder, name, count / names.size(), seed, read, random -> Fuzz.mutation(good, random));
            for (String other : names) {
                byte[] swapped = Files.readAllBytes(folder.resolve(other));
                fuzz(folder, name, 1, seed, read, random -> swapped);
            }
        }
    }

    private static void fuzz(Path folder, String name, int count, long seed, Executable read, Mutation mutation)
            throws IOException {
        Path file = folder.resolve(name);
        byte[] good = Files.readAllBytes(file);
        Files.deleteIfExists(folder.resolve("." + name + ".crc"));
        for (long i = seed << 32; i < (seed << 32) + count; i++) {
            Files.write(file, mutation.of(i));
            Map<String, String> before = contents(folder);
            Fuzz.assertReadOrRefused(name + " of seed " + i, read);
            assertEquals(before, contents(folder), name + " of seed " + i);
        }
        Files.write(file, good);
    }

    private static Map<String, String> contents(Path folder) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(
                        folder.relativize(file).toString(),
                        new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }
}
