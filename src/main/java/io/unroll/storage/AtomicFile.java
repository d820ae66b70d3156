package io.unroll.storage;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.commons.io.function.IOConsumer;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Writes a file under a temporary name and renames it when it is complete. */
public final class AtomicFile {
    private AtomicFile() {}

    public static void write(FileSystem fs, Path file, Path draft, IOConsumer<OutputStream> content)
            throws IOException {
        try (OutputStream out = fs.create(draft, true)) {
            content.accept(out);
        } catch (FSError e) {
            throw new IOException(reason(e), e);
        }
        fs.delete(file, false);
        if (!fs.rename(draft, file)) {
            throw new IOException("cannot rename " + draft);
        }
    }

    /** @return first line of the message of an exception: HDFS puts the name node's stack trace into the other lines */
    public static String reason(Throwable e) {
        Throwable cause = e instanceof FSError ? e.getCause() : e;
        return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    }
}
