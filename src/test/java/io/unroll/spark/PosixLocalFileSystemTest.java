package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PosixLocalFileSystemTest {
    @TempDir
    private Path folder;

    @Test
    void setsThePermissionsThatHadoopRequests() throws IOException {
        var hadoop = Session.submittedHadoopConfiguration();
        hadoop.set(FsPermission.UMASK_LABEL, "027");
        try (FileSystem fs = FileSystem.newInstance(URI.create("file:///"), hadoop)) {
            assertInstanceOf(PosixLocalFileSystem.class, fs);
            var file = new org.apache.hadoop.fs.Path(folder + "/a b");
            fs.create(file).close();
            assertEquals("rw-r-----", permissions("a b"));
            assertEquals("rw-r-----", permissions(".a b.crc"));
            fs.setPermission(file, new FsPermission("700"));
            assertEquals("rwx------", permissions("a b"));
            fs.setPermission(file, new FsPermission("1644"));
            assertEquals("rw-r--r--", permissions("a b"));
        }
    }

    @Test
    void keepsAnotherConfiguredFileSystem() {
        Configuration hadoop = new Configuration();
        hadoop.set("fs.file.impl", "another");

        assertEquals("another", PosixLocalFileSystem.configure(hadoop).get("fs.file.impl"));
    }

    private String permissions(String name) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(name)));
    }
}
