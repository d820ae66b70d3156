package io.unroll.text;

import io.unroll.config.ConfigurationException;
import io.unroll.config.UnrollException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/**
 * The files of a corpus, and how tasks share them. Files are read in the order of their paths; a file is cut into
 * {@link Slice}s where its bytes can be read from anywhere, and slices are gathered into parts of about equal size.
 * Parts depend on the files alone, never on the cluster.
 */
public final class CorpusFiles {
    private CorpusFiles() {}

    /**
     * @param sliceBytes bytes of a slice and, at least, of a part
     * @return parts in the corpus' order; each a list of slices in order
     * @throws ConfigurationException where there is no such file, or no byte in any of them
     */
    public static List<List<Slice>> parts(String path, long sliceBytes, Configuration hadoop) {
        return gathered(
                slices(path, sliceBytes, hadoop).stream()
                        .filter(slice -> slice.length() > 0)
                        .toList(),
                sliceBytes);
    }

    /**
     * @param bytes of a part, at least
     * @return parts in the corpus' order; each a list of files that are not cut, among them those without a byte
     * @throws ConfigurationException as {@link #parts}
     */
    public static List<List<Slice>> wholeFiles(String path, long bytes, Configuration hadoop) {
        return gathered(slices(path, Long.MAX_VALUE, hadoop), bytes);
    }

    private static List<List<Slice>> gathered(List<Slice> slices, long bytes) {
        List<List<Slice>> parts = new ArrayList<>();
        List<Slice> part = new ArrayList<>();
        long partBytes = 0;
        for (Slice slice : slices) {
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

    private static List<Slice> slices(String path, long sliceBytes, Configuration hadoop) {
        CompressionCodecFactory codecs = new CompressionCodecFactory(hadoop);
        List<Slice> slices = new ArrayList<>();
        for (FileStatus file : files(path, hadoop)) {
            String name = file.getPath().toString();
            boolean compressed = file.getLen() > 0 && codecs.getCodec(file.getPath()) != null;
            long step = compressed ? Math.max(1, file.getLen()) : Math.min(sliceBytes, Math.max(1, file.getLen()));
            for (long start = 0; start == 0 || start < file.getLen(); start += step) {
                slices.add(new Slice(name, start, Math.min(start + step, file.getLen()), compressed));
            }
        }
        if (slices.stream().allMatch(slice -> slice.length() == 0)) {
            throw new ConfigurationException(path + " is empty: there is nothing to read.");
        }
        return slices;
    }

    private static List<FileStatus> files(String path, Configuration hadoop) {
        try {
            FileSystem fs = new Path(path).getFileSystem(hadoop);
            Set<FileStatus> found = new HashSet<>();
            for (FileStatus match : matches(path, fs)) {
                collect(match, fs, found);
            }
            List<FileStatus> files = new ArrayList<>(found);
            if (files.isEmpty()) {
                throw new ConfigurationException(path + " holds no file (names that begin with . or _ are skipped).");
            }
            files.sort(Comparator.comparing(file -> file.getPath().toString()));
            return files;
        } catch (UnrollException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String hint = path.startsWith("s3a:") && ExceptionUtils.indexOfType(e, ClassNotFoundException.class) >= 0
                    ? ". Give Hadoop's client for S3: jobs/unroll --packages org.apache.hadoop:hadoop-aws:3.3.4 ..."
                    : "";
            throw new UnrollException("cannot list " + path + ": " + e.getMessage() + hint, e);
        }
    }

    private static FileStatus[] matches(String path, FileSystem fs) throws IOException {
        try {
            return new FileStatus[] {fs.getFileStatus(new Path(path))};
        } catch (FileNotFoundException e) {
            FileStatus[] matches = fs.globStatus(new Path(path), CorpusFiles::isVisible);
            if (matches == null || matches.length == 0) {
                throw new ConfigurationException(
                        path + ": no such file or folder, and as a pattern it matches nothing.", e);
            }
            return matches;
        }
    }

    private static void collect(FileStatus found, FileSystem fs, Set<FileStatus> files) throws IOException {
        if (found.isFile()) {
            files.add(found);
            return;
        }
        for (FileStatus child : fs.listStatus(found.getPath(), CorpusFiles::isVisible)) {
            collect(child, fs, files);
        }
    }

    private static boolean isVisible(Path path) {
        return !path.getName().startsWith(".") && !path.getName().startsWith("_");
    }
}
