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

/** Reads ranges of examples and caches the last file read. Not thread-safe. */
public final class ExampleReader {
    private final Path folder;
    private final ExampleIndex index;
    private final FileSystem fs;
    private ExampleIndex.Part cachedPart;
    private List<int[]> cachedExamples;

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
                load(part);
                found.addAll(cachedExamples.subList(
                        (int) (Math.max(from, start) - start), (int) (Math.min(to, end) - start)));
            }
            start = end;
        }
        return found;
    }

    private void load(ExampleIndex.Part part) throws IOException {
        if (part.equals(cachedPart)) {
            return;
        }
        Path file = new Path(folder, part.file());
        List<int[]> examples = new ArrayList<>();
        try (InputStream in = fs.open(file)) {
            read(in, fs.getFileStatus(file).getLen(), part, examples::add);
        } catch (EOFException
                | FileNotFoundException
                | ChecksumException
                | PreparedFileCheck.InvalidContentException e) {
            throw PreparedFileCheck.readFailure(file, e);
        }
        cachedPart = part;
        cachedExamples = examples;
    }

    private static void read(InputStream source, long length, ExampleIndex.Part part, Consumer<int[]> examples)
            throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(source, 1 << 16));
        long left = length / Integer.BYTES;
        for (int i = 0; i < part.examples(); i++) {
            int size = in.readInt();
            left -= 1L + size;
            if (size < 0 || left < 0) {
                throw new PreparedFileCheck.InvalidContentException("it contains an example of " + size + " integers");
            }
            int[] example = new int[size];
            for (int j = 0; j < example.length; j++) {
                example[j] = in.readInt();
            }
            examples.accept(example);
        }
        if (left != 0 || in.read() >= 0) {
            throw new PreparedFileCheck.InvalidContentException("it is longer than its index says");
        }
    }

    /**
     * Checks a file of the index.
     *
     * @param valid tells whether an example is valid
     * @return a description of what is wrong with the file; empty if it is valid
     */
    public static String problem(String folder, ExampleIndex.Part part, Predicate<int[]> valid, Configuration hadoop)
            throws IOException {
        return PreparedFileCheck.problem(folder, part.file(), part.checksum(), hadoop, (in, length) -> {
            boolean[] allValid = {true};
            read(in, length, part, example -> allValid[0] &= valid.test(example));
            if (!allValid[0]) {
                throw new PreparedFileCheck.InvalidContentException("it contains an invalid example");
            }
        });
    }
}
