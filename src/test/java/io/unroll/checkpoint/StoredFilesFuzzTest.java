package io.unroll.checkpoint;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Fuzz;
import io.unroll.Zips;
import io.unroll.chunk.BatchSource;
import io.unroll.chunk.Batches;
import io.unroll.chunk.Example;
import io.unroll.chunk.ExampleSource;
import io.unroll.chunk.Plan;
import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceIndex;
import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.chunk.SequenceStore;
import io.unroll.chunk.SequenceType;
import io.unroll.chunk.SequenceWriter;
import io.unroll.chunk.TextSource;
import io.unroll.config.Settings;
import io.unroll.storage.VocabularyFiles;
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
import java.util.Optional;
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
        fuzzPrepared(ITERATIONS / 2, 5);
    }

    @Test
    @Tag("nightly")
    void readsMutatedPreparedFoldersNightly() throws IOException {
        fuzzPrepared(NIGHTLY_ITERATIONS / 2, 7);
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
        Executable read = () -> new Checkpoints(settings, HADOOP).latest(Fuzz::assertReadable);
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

    private void fuzzPrepared(int count, long seed) throws IOException {
        fuzzPrepared("task = language-model", Section.STREAM, count, seed);
        fuzzPrepared("task = seq2seq, corpus.validation = 0", Section.TRAINING, count, seed + 1);
    }

    private void fuzzPrepared(String task, Section section, int count, long seed) throws IOException {
        Settings settings = TestModels.settings(task + ", training { batch = 2, tbptt = 4 }");
        Vocabularies vocabularies = TestModels.model(settings, "a", "b", "c").vocabularies();
        Optional<Examples> examples = Task.of(settings).examples();
        Example.Type type = examples.map(format -> format.type(vocabularies))
                .orElse(new Example.Type(SequenceType.NONE, SequenceType.TOKENS_8));
        Path prepared = Files.createDirectories(folder.resolve(section.name()));
        List<SequenceIndex.Part> parts = new ArrayList<>();
        try (SequenceWriter writer = new SequenceWriter(prepared.toString(), section, 0, type, HADOOP)) {
            for (int i = 0; i < 20; i++) {
                Sequence source = examples.isEmpty() ? Sequence.NONE : new Sequence.Tokens(new int[] {0, i % 3});
                writer.write(new Example(source, new int[] {i % 3, 2, 1}).toBytes(type));
            }
            parts.add(writer.part());
        }
        VocabularyFiles.write(local(), path(prepared, ""), vocabularies);
        Files.write(
                prepared.resolve("index.json"),
                SequenceIndex.FILE.bytes(SequenceIndex.of("hash", type, parts, new TreeMap<>(), vocabularies)));
        Executable read = () -> {
            SequenceIndex index = SequenceIndex.FILE.read(local(), path(prepared, "index.json"));
            Vocabularies found = VocabularyFiles.read(
                    local(), path(prepared, ""), Task.of(settings).vocabularies());
            if (index.isIntact("hash", found)) {
                read(new SequenceStore(prepared.toString(), index), examples, settings);
            }
        };
        assertDoesNotThrow(read);
        fuzz(prepared, count, seed, read);
    }

    /** Reads everything that a training reads. */
    private static void read(SequenceStore store, Optional<Examples> examples, Settings settings) throws IOException {
        for (SequenceIndex.Part part : store.index().parts()) {
            if (!SequenceStore.problem(store.folder(), part, HADOOP).isEmpty()) {
                return;
            }
        }
        BatchSource source =
                examples.isEmpty() ? new TextSource(store, 0.3, 0) : new ExampleSource(store, examples.orElseThrow());
        Plan plan = source.plan(settings);
        try (Batches batches = plan.open(0, 0, HADOOP)) {
            for (int chunk = 0; chunk < plan.chunks(); chunk++) {
                for (int token : batches.chunk(chunk, plan.chunks()).inputs()) {
                    assertTrue(token >= 0 && token < 3, "token " + token);
                }
            }
        }
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
