package io.unroll.storage;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.security.AccessControlException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists the files of a corpus and divides them into parts, one for each Spark task. Files are in the order of their
 * paths. Uncompressed files are cut into {@link FileSplit}s, and slices are grouped into parts of similar size. The parts
 * depend only on the files, not on the cluster.
 */
public final class CorpusFiles {
    private static final Logger LOG = LoggerFactory.getLogger(CorpusFiles.class);

    private CorpusFiles() {}

    /**
     * Divides a text corpus into parts of slices.
     *
     * @param sliceBytes size of a slice, and minimum size of a part, in bytes
     * @return the parts in the order of the corpus, each a list of slices
     * @throws ConfigurationException if there is no such file, all files are empty, or one is in an unsupported
     *     compression or archive format
     */
    public static List<List<FileSplit>> parts(String path, long sliceBytes, Configuration hadoop) {
        List<FileSplit> slices = slices(path, sliceBytes, hadoop);
        FileEnding.refusePacked(slices);
        slices.stream()
                .filter(slice -> slice.start() == 0 && FileEnding.isStructured(slice.file()))
                .findFirst()
                .ifPresent(slice -> LOG.warn("{} is read as plain text, including its markup", slice.file()));
        return group(slices.stream().filter(slice -> slice.length() > 0).toList(), sliceBytes);
    }

    /**
     * Divides a corpus into parts of entire files, including empty files.
     *
     * @param bytes minimum size of a part, in bytes
     * @return the parts in the order of the corpus
     * @throws ConfigurationException if there is no such file, or all files are empty
     */
    public static List<List<FileSplit>> wholeFiles(String path, long bytes, Configuration hadoop) {
        return group(slices(path, Long.MAX_VALUE, hadoop), bytes);
    }

    /** @return the splits in lists of at least {@code bytes} bytes, except the last list */
    public static List<List<FileSplit>> group(List<FileSplit> slices, long bytes) {
        List<List<FileSplit>> parts = new ArrayList<>();
        List<FileSplit> part = new ArrayList<>();
        long partBytes = 0;
        for (FileSplit slice : slices) {
            part.add(slice);
            partBytes += slice.length();
            if (partBytes >= bytes) {
                parts.add(part);
                part = new ArrayList<>();
                partBytes = 0;
            }
        }
        if (!part.isEmpty()) {
            parts.add(part);
        }
        return parts;
    }

    private static List<FileSplit> slices(String path, long sliceBytes, Configuration hadoop) {
        CompressionCodecFactory codecs = new CompressionCodecFactory(hadoop);
        List<FileSplit> slices = new ArrayList<>();
        for (FileStatus file : files(path, hadoop)) {
            String name = file.getPath().toString();
            boolean compressed = file.getLen() > 0 && codecs.getCodec(file.getPath()) != null;
            long step = compressed ? Math.max(1, file.getLen()) : Math.min(sliceBytes, Math.max(1, file.getLen()));
            for (long start = 0; start == 0 || start < file.getLen(); start += step) {
                slices.add(new FileSplit(name, start, Math.min(start + step, file.getLen()), compressed));
            }
        }
        if (slices.stream().allMatch(slice -> slice.length() == 0)) {
            throw new ConfigurationException(path + " is empty: there is nothing to read.");
        }
        return slices;
    }

    private static List<FileStatus> files(String path, Configuration hadoop) {
        try {
            return FileTree.files(path, hadoop);
        } catch (UnrollException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String hint = path.startsWith("s3a:") && ExceptionUtils.indexOfType(e, ClassNotFoundException.class) >= 0
                    ? ". Add Hadoop's S3 client: jobs/unroll --packages org.apache.hadoop:hadoop-aws:3.3.4 ..."
                    : "";
            String reason = e instanceof AccessDeniedException denied
                    ? "this user may not read " + denied.getFile()
                    : e.getMessage();
            throw new UnrollException("cannot list " + path + ": " + reason + hint, e);
        }
    }

    static boolean isLocal(FileSystem fs) {
        return fs.getUri().getScheme().equals("file");
    }

    static FSDataInputStream open(Path file, Configuration hadoop) throws IOException {
        return file.getFileSystem(withoutChecksum(file, hadoop)).open(file);
    }

    /** Disables checksums for a local file whose name has a colon, because Hadoop cannot handle its checksum file. */
    static Configuration withoutChecksum(Path file, Configuration hadoop) {
        if (!file.getName().contains(":")) {
            return hadoop;
        }
        Configuration raw = new Configuration(hadoop);
        raw.setClass("fs.file.impl", RawLocalFileSystem.class, FileSystem.class);
        raw.setBoolean("fs.file.impl.disable.cache", true);
        return raw;
    }

    /**
     * Throws an exception with an explanation if a retry cannot fix the failure.
     *
     * @return {@code e} if a retry may help, such as after the loss of a machine
     * @throws UnrollException if a retry cannot help; its message explains the failure
     */
    static IOException explain(IOException e, String file) {
        if (e instanceof ChecksumException) {
            Path path = new Path(file);
            throw new UnrollException(
                    file + " does not match its checksum file, ." + path.getName() + ".crc: restore the file, or"
                            + " delete ." + path.getName() + ".crc, if you changed the file yourself.",
                    e);
        }
        if (e instanceof FileNotFoundException || e instanceof AccessControlException) {
            throw new UnrollException(file + " cannot be read: " + e.getMessage(), e);
        }
        return e;
    }
}
