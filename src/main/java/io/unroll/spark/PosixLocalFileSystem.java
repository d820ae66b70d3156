package io.unroll.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Hadoop's local file system with permissions set by Java. Without its native library, Hadoop starts a {@code chmod}
 * process for every file that it creates: slow, and killed by a Ctrl-C, which reaches the whole process group.
 */
public final class PosixLocalFileSystem extends LocalFileSystem {
    public PosixLocalFileSystem() {
        super(new Raw());
    }

    /** Configures this class as the local file system, unless another one is configured. */
    static Configuration configure(Configuration hadoop) {
        hadoop.setIfUnset("fs.file.impl", PosixLocalFileSystem.class.getName());
        return hadoop;
    }

    /** Unlike the method of the superclass, accepts names with a colon. */
    @Override
    public Path getChecksumFile(Path file) {
        return new Path(file.getParent(), new Path(null, null, "." + file.getName() + ".crc"));
    }

    private static final class Raw extends RawLocalFileSystem {
        @Override
        public void setPermission(Path path, FsPermission permission) throws IOException {
            try {
                Files.setPosixFilePermissions(
                        pathToFile(path).toPath(), PosixFilePermissions.fromString(permission.toString()));
            } catch (UnsupportedOperationException | IllegalArgumentException e) {
                // Not a POSIX file system, or a sticky bit, which Java cannot set.
                super.setPermission(path, permission);
            }
        }
    }
}
