package io.unroll.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A file that is written beside, and gets its name when it is whole. */
final class DraftFile {
    private DraftFile() {}

    interface Content {
        void to(OutputStream out) throws IOException;
    }

    static void write(FileSystem fs, Path file, Path draft, Content content) throws IOException {
        try (OutputStream out = fs.create(draft, true)) {
            content.to(out);
        } catch (FSError e) {
            throw new IOException(reason(e), e);
        }
        fs.delete(file, false);
        if (!fs.rename(draft, file)) {
            throw new IOException("cannot rename " + draft);
        }
    }

    /** @return what went wrong, without the trace that a name node puts into its messages */
    static String reason(Throwable e) {
        Throwable cause = e instanceof FSError ? e.getCause() : e;
        return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    }
}
