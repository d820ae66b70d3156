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

    /** Like {@link #check}, but only if the folder does not exist: an existing folder may be complete and read-only. */
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
     * @param folder need not exist; it is not left behind
     * @param key of the setting or argument that gives it
     * @throws ConfigurationException where nothing can be written in the folder
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
                throw new IOException("a folder cannot be made there");
            }
            fs.delete(probe, false);
            deleteMade(fs, probe.getParent(), missing);
        } catch (IOException | FSError e) {
            throw cannotBeWritten(folder, key, e);
        }
    }

    private static void deleteMade(FileSystem fs, Path last, Path first) throws IOException {
        for (Path made = last; !made.equals(first.getParent()); made = made.getParent()) {
            if (fs.listStatus(made).length > 0) {
                // Another process uses it meanwhile.
                return;
            }
            fs.delete(made, false);
        }
    }

    private static ConfigurationException cannotBeWritten(String folder, String key, Throwable e) {
        return new ConfigurationException(
                folder + " cannot be written: " + DraftFile.reason(e) + ". Give another " + key + ".", e);
    }
}
