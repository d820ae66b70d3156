package io.unroll.chunk;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads ranges of examples; holds the file that it has read last. Not safe for several threads. */
public final class ExampleReader {
    private final Path folder;
    private final ExampleIndex index;
    private final FileSystem fs;
    private ExampleIndex.Part held;
    private List<int[]> examples;

    ExampleReader(String folder, ExampleIndex index, Configuration hadoop) throws IOException {
        this.folder = new Path(folder);
        this.index = index;
        this.fs = this.folder.getFileSystem(hadoop);
    }

    /** @return examples {@code [from, to)} */
    List<int[]> read(long from, long to) throws IOException {
        List<int[]> found = new ArrayList<>();
        long start = 0;
        for (ExampleIndex.Part part : index.parts()) {
            long end = start + part.examples();
            if (from < end && to > start) {
                hold(part);
                found.addAll(
                        examples.subList((int) (Math.max(from, start) - start), (int) (Math.min(to, end) - start)));
            }
            start = end;
        }
        return found;
    }

    private void hold(ExampleIndex.Part part) throws IOException {
        if (part.equals(held)) {
            return;
        }
        Path file = new Path(folder, part.file());
        List<int[]> all = new ArrayList<>();
        try (InputStream in = fs.open(file)) {
            read(in, fs.getFileStatus(file).getLen(), part, all::add);
        } catch (EOFException | FileNotFoundException | ChecksumException | PreparedFile.DamagedException e) {
            throw PreparedFile.unreadable(file, e);
        }
        held = part;
        examples = all;
    }

    private static void read(InputStream source, long length, ExampleIndex.Part part, Consumer<int[]> examples)
            throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(source, 1 << 16));
        long left = length / Integer.BYTES;
        for (int i = 0; i < part.examples(); i++) {
            int size = in.readInt();
            left -= 1L + size;
            if (size < 0 || left < 0) {
                throw new PreparedFile.DamagedException("it holds an example of " + size + " integers");
            }
            int[] example = new int[size];
            for (int j = 0; j < example.length; j++) {
                example[j] = in.readInt();
            }
            examples.accept(example);
        }
        if (left != 0 || in.read() >= 0) {
            throw new PreparedFile.DamagedException("it is longer than its index says");
        }
    }

    /**
     * @param valid whether an example can be one
     * @return what is wrong with a file of the index; empty where nothing is
     */
    public static String problem(String folder, ExampleIndex.Part part, Predicate<int[]> valid, Configuration hadoop)
            throws IOException {
        return PreparedFile.problem(folder, part.file(), part.checksum(), hadoop, (in, length) -> {
            boolean[] allValid = {true};
            read(in, length, part, example -> allValid[0] &= valid.test(example));
            if (!allValid[0]) {
                throw new PreparedFile.DamagedException("it contains an invalid example");
            }
        });
    }
}
