package io.unroll.chunk;

import io.unroll.chunk.SequenceIndex.Part;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.Path;

/**
 * A prepared corpus: a folder of sequences that are read by position. Each part has two files:
 *
 * <pre>
 *   NAME.bin   source 0 | target 0 | source 1 | target 1 | ...           values, see {@link SequenceType}; a weight may
 *                                                                       follow each target
 *   NAME.idx   start of sequence 0, length of source 0, length of target 0 | ...          int64, little-endian
 * </pre>
 *
 * The targets of a stream have no sources between them, so its tokens can also be read by position. The guide
 * {@code docs/guide/store.md} describes the format.
 */
public record SequenceStore(String folder, SequenceIndex index) implements TokenSource.Opener {
    static final String VALUES = ".bin";
    static final String ENTRIES = ".idx";

    @Override
    public SequenceReader open(Configuration hadoop) throws IOException {
        return new SequenceReader(this, hadoop);
    }

    /**
     * Reads the files of a part and compares their checksums.
     *
     * @return a description of what is wrong with a file; empty if both are valid
     */
    public static String problem(String folder, Part part, Configuration hadoop) throws IOException {
        String problem = problem(new Path(folder, part.name() + VALUES), part.checksum(), hadoop);
        return problem.isEmpty()
                ? problem(new Path(folder, part.name() + ENTRIES), part.indexChecksum(), hadoop)
                : problem;
    }

    private static String problem(Path file, long checksum, Configuration hadoop) throws IOException {
        CRC32C actual = new CRC32C();
        try (InputStream in = file.getFileSystem(hadoop).open(file)) {
            in.transferTo(new CheckedOutputStream(OutputStream.nullOutputStream(), actual));
        } catch (FileNotFoundException e) {
            return file.getName() + " is missing";
        } catch (ChecksumException e) {
            return file.getName() + " is damaged: " + e.getMessage();
        }
        return checksum == actual.getValue() ? "" : file.getName() + " has changed since it was written";
    }
}
