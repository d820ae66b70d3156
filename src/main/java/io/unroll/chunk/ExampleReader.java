package io.unroll.chunk;

import io.unroll.config.UnrollException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads ranges of examples; holds the file that it has read last. Not safe for several threads. */
final class ExampleReader {
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
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(fs.open(file), 1 << 16))) {
            for (int i = 0; i < part.examples(); i++) {
                int[] example = new int[in.readInt()];
                for (int j = 0; j < example.length; j++) {
                    example[j] = in.readInt();
                }
                all.add(example);
            }
        } catch (EOFException e) {
            throw new UnrollException(
                    file + " is shorter than its index says: delete " + folder
                            + " and run again, to prepare the corpus anew.",
                    e);
        } catch (FileNotFoundException e) {
            throw new UnrollException(
                    file + " is missing, or corpus.prepared is a folder that not every machine of the cluster shares: "
                            + "delete " + folder + " and run again, with a shared folder.",
                    e);
        }
        held = part;
        examples = all;
    }
}
