package io.unroll.checkpoint;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** A local file system that fails all changes after the first {@code n}, as if the process had died. */
public final class DyingFileSystem extends LocalFileSystem {
    private static final AtomicInteger CHANGES_LEFT = new AtomicInteger();

    /** @return a configuration that uses this file system for local paths */
    static Configuration dyingAfter(int changes) {
        CHANGES_LEFT.set(changes);
        Configuration configuration = new Configuration();
        configuration.setClass("fs.file.impl", DyingFileSystem.class, LocalFileSystem.class);
        configuration.setBoolean("fs.file.impl.disable.cache", true);
        return configuration;
    }

    static boolean hasDied() {
        return CHANGES_LEFT.get() < 0;
    }

    private static void countChange(String operation) throws IOException {
        if (CHANGES_LEFT.decrementAndGet() < 0) {
            throw new IOException("died before " + operation);
        }
    }

    @Override
    public void initialize(URI name, Configuration configuration) throws IOException {
        super.initialize(name, configuration);
        setWriteChecksum(false);
    }

    @Override
    public boolean mkdirs(Path path) throws IOException {
        countChange("mkdirs " + path);
        return super.mkdirs(path);
    }

    @Override
    public FSDataOutputStream create(
            Path path,
            FsPermission permission,
            boolean overwrite,
            int buffer,
            short replication,
            long block,
            Progressable progress)
            throws IOException {
        countChange("create " + path);
        return super.create(path, permission, overwrite, buffer, replication, block, progress);
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
        countChange("rename " + from);
        return super.rename(from, to);
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
        countChange("delete " + path);
        return super.delete(path, recursive);
    }
}
