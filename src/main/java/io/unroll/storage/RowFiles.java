package io.unroll.storage;

import io.unroll.config.UnrollException;
import io.unroll.text.MalformedRowException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads files that rows name. Rejects names and links that lead out of the folder. */
public record RowFiles(String folder, Configuration hadoop) {
    /** Maximum size of a file. */
    public static final int MAX_BYTES = 1 << 28;

    /** @throws MalformedRowException if there is no such file in the folder, or it is too large */
    public byte[] read(String name) {
        Path file = path(name);
        try {
            FileSystem fs = file.getFileSystem(hadoop);
            FileStatus status = fs.getFileStatus(file);
            if (!status.isFile()) {
                throw new MalformedRowException(name + " is a folder in " + folder + ", not a file");
            }
            if (status.getLen() > MAX_BYTES) {
                throw new MalformedRowException(
                        name + " has " + status.getLen() + " bytes; the maximum is " + MAX_BYTES);
            }
            try (InputStream in = CorpusFiles.open(file, hadoop)) {
                return in.readAllBytes();
            }
        } catch (FileNotFoundException e) {
            throw new MalformedRowException("there is no file " + file);
        } catch (IOException e) {
            CorpusFiles.explain(e, file.toString());
            throw new UnrollException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private Path path(String name) {
        try {
            Path root = new Path(folder);
            FileSystem fs = root.getFileSystem(hadoop);
            root = fs.makeQualified(root);
            Path file = fs.makeQualified(new Path(root, new Path(null, null, name)));
            if (CorpusFiles.isLocal(fs)) {
                return resolveLinks(file, root, name);
            }
            String folderPath = StringUtils.stripEnd(root.toUri().getPath(), "/") + "/";
            return requireInside(file.toUri().getPath().startsWith(folderPath), file, name);
        } catch (IllegalArgumentException e) {
            throw new MalformedRowException(name + " is not a valid file name");
        } catch (IOException e) {
            throw new UnrollException("cannot read " + folder + " (corpus.images): " + e.getMessage(), e);
        }
    }

    private Path resolveLinks(Path file, Path root, String name) throws IOException {
        java.nio.file.Path folder =
                java.nio.file.Path.of(root.toUri().getPath()).toRealPath();
        java.nio.file.Path real;
        try {
            real = java.nio.file.Path.of(file.toUri().getPath()).toRealPath();
        } catch (IOException | InvalidPathException e) {
            throw new MalformedRowException("there is no file " + file);
        }
        requireInside(real.startsWith(folder), file, name);
        if (!Files.isDirectory(real) && !Files.isRegularFile(real)) {
            throw new MalformedRowException(name + " is not a regular file");
        }
        return file;
    }

    private Path requireInside(boolean inside, Path file, String name) {
        if (!inside) {
            throw new MalformedRowException(name + " is not in " + folder + " (corpus.images)");
        }
        return file;
    }
}
