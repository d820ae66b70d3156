package io.unroll.storage;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The folders that do not exist yet on the way to a folder, remembered before it is created.
 *
 * @param existing the innermost folder that exists
 */
public record NewFolders(FileSystem fs, Path folder, Path existing) {
    public static NewFolders before(FileSystem fs, Path folder) throws IOException {
        Path existing = folder;
        while (existing.getParent() != null && !fs.exists(existing)) {
            existing = existing.getParent();
        }
        return new NewFolders(fs, folder, existing);
    }

    /** Deletes the folders that have been created since, from the innermost to the first that is not empty. */
    public void deleteEmpty() throws IOException {
        for (Path created = folder; !created.equals(existing); created = created.getParent()) {
            if (fs.listStatus(created).length > 0) {
                return;
            }
            fs.delete(created, false);
        }
    }
}
