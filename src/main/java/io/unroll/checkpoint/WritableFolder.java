package io.unroll.checkpoint;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Checks that a folder is writable, before any work is done. */
public final class WritableFolder {
    private WritableFolder() {}

    /** Calls {@link #check} unless the folder exists: an existing folder may be complete and read-only. */
    public static void checkIfMissing(String folder, String key, Configuration hadoop) {
        try {
            Path path = new Path(folder);
            if (path.getFileSystem(hadoop).exists(path)) {
                return;
            }
        } catch (IOException e) {
            throw cannotBeWritten(folder, key, e);
        }
        check(folder, key, hadoop);
    }

    /**
     * Creates a temporary folder in the folder, then deletes everything that it created.
     *
     * @param folder does not have to exist
     * @param key setting or argument that contains the path, for the message
     * @throws ConfigurationException if the folder cannot be written
     */
    public static void check(String folder, String key, Configuration hadoop) {
        Path probe = new Path(folder, ".unroll-" + UUID.randomUUID());
        try {
            FileSystem fs = probe.getFileSystem(hadoop);
            Path missing = probe;
            while (missing.getParent() != null && !fs.exists(missing.getParent())) {
                missing = missing.getParent();
            }
            if (!fs.mkdirs(probe)) {
                throw new IOException("cannot create a folder in it");
            }
            fs.delete(probe, false);
            deleteCreated(fs, probe.getParent(), missing);
        } catch (IOException | FSError e) {
            throw cannotBeWritten(folder, key, e);
        }
    }

    private static void deleteCreated(FileSystem fs, Path innermost, Path outermost) throws IOException {
        for (Path folder = innermost; !folder.equals(outermost.getParent()); folder = folder.getParent()) {
            if (fs.listStatus(folder).length > 0) {
                // Another process has started to use the folder.
                return;
            }
            fs.delete(folder, false);
        }
    }

    private static ConfigurationException cannotBeWritten(String folder, String key, Throwable e) {
        return new ConfigurationException(
                folder + " cannot be written: " + DraftFile.reason(e) + ". Give another " + key + ".", e);
    }
}
