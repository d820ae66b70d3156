package io.unroll.storage;

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
            NewFolders newFolders = NewFolders.before(fs, probe);
            if (!fs.mkdirs(probe)) {
                throw new IOException("cannot create a folder in it");
            }
            newFolders.deleteEmpty();
        } catch (IOException | FSError e) {
            throw cannotBeWritten(folder, key, e);
        }
    }

    private static ConfigurationException cannotBeWritten(String folder, String key, Throwable e) {
        return new ConfigurationException(
                folder + " cannot be written: " + AtomicFile.reason(e) + ". Give another " + key + ".", e);
    }
}
