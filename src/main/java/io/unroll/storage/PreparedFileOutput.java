package io.unroll.storage;

import io.unroll.config.UnrollException;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.commons.io.function.IORunnable;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Output stream to a file of a prepared corpus. If writing fails, the exception names the file, and the partial file is
 * deleted.
 */
public final class PreparedFileOutput extends OutputStream {
    private final FileSystem fs;
    private final Path file;
    private OutputStream out;

    private PreparedFileOutput(FileSystem fs, Path file) {
        this.fs = fs;
        this.file = file;
    }

    public static OutputStream create(Path file, Configuration hadoop) throws IOException {
        PreparedFileOutput created = new PreparedFileOutput(file.getFileSystem(hadoop), file);
        created.attempt(() -> created.out = created.fs.create(file));
        return created;
    }

    public static UnrollException cannotWrite(Path file, Throwable e) {
        return new UnrollException(
                file + " cannot be written: " + ExceptionUtils.getRootCause(e).getMessage()
                        + ". Free space there, or give another corpus.prepared.",
                e);
    }

    private void attempt(IORunnable step) {
        try {
            step.run();
        } catch (IOException | FSError e) {
            delete();
            throw cannotWrite(file, e);
        }
    }

    private void delete() {
        try {
            fs.delete(file, false);
        } catch (IOException | FSError e) {
            // The caller reports the first failure.
        }
    }

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        attempt(() -> out.write(bytes, offset, length));
    }

    @Override
    public void close() {
        attempt(() -> out.close());
    }
}
